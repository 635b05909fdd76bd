"""A run: what it sends side by side, when it stops, comes again, and calls for help."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from jobs import sql
from jobs.outcomes import Done, Snooze
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from lib import clock
from notifications.webhooks import lanes, run
from notifications.webhooks.endpoints import endpoint_disable
from notifications.webhooks.flow import Config
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Lane
from notifications.webhooks.services import event_emit
from notifications.webhooks.tasks import send_due
from notifications.webhooks.types import TEST
from tests.notifications.webhooks.receiver import Answer, Receiver
from tests.notifications.webhooks.rows import delivery_make, endpoint_make

KIND = "webhooks.send_due"


def send() -> None:
    assert isinstance(job_perform(KIND), Done)


def test_a_hanging_endpoint_holds_up_no_other(receiver: Receiver) -> None:
    hold = receiver.hangs("/hanging")
    hanging, fast = (
        endpoint_make(url=receiver.url("/hanging")),
        endpoint_make(url=receiver.url("/")),
    )
    for _ in range(20):
        delivery_make(hanging)
        delivery_make(fast)

    def release_when_the_others_are_through() -> None:
        receiver.wait_for(lambda: receiver.paths().count("/") == 20)
        hold.set()

    watcher = threading.Thread(target=release_when_the_others_are_through)
    watcher.start()
    send()
    watcher.join()
    assert Delivery.objects.filter(endpoint=fast, state="delivered").count() == 20
    first_of_all = receiver.paths()[:21].count("/hanging")
    assert first_of_all == 1, "it was given one request, and no more before it answered"


def test_no_more_requests_at_once_than_the_endpoint_allows(receiver: Receiver) -> None:
    endpoint = endpoint_make(url=receiver.url(), max_in_flight=3)
    Lane.objects.update(last_success_at=clock.now())
    for _ in range(30):
        delivery_make(endpoint)
    send()
    assert len(receiver.received) == 30
    assert receiver.most_at_once <= 3


def test_a_breaker_opens_after_five_failures_and_lets_one_probe_through(
    receiver: Receiver,
) -> None:
    receiver.default["/"] = Answer(500)
    endpoint = endpoint_make(url=receiver.url())
    for _ in range(10):
        delivery_make(endpoint)
    send()
    assert len(receiver.received) == 5
    lane = Lane.objects.get()
    assert lane.open_until is not None
    with clock.shift(lane.open_until - clock.now() + timedelta(seconds=1)):
        send()
        assert len(receiver.received) == 6, "the probe failed"
        lane.refresh_from_db()
        receiver.default.clear()
        assert lane.open_until is not None
        with clock.shift(lane.open_until - clock.now() + timedelta(hours=1)):
            send()
    assert Delivery.objects.filter(state="delivered").count() == 10
    lane.refresh_from_db()
    assert (lane.failures, lane.failing_since) == (0, None)


def test_refusals_do_not_open_the_breaker(receiver: Receiver) -> None:
    receiver.default["/"] = Answer(400)
    endpoint = endpoint_make(url=receiver.url())
    for _ in range(7):
        delivery_make(endpoint)
    send()
    assert len(receiver.received) == 7
    assert Lane.objects.get().open_until is None


def test_a_run_comes_again_when_the_next_delivery_is_due(receiver: Receiver) -> None:
    delivery_make(
        endpoint_make(url=receiver.url()), next_attempt_at=clock.now() + timedelta(seconds=9)
    )
    send()
    job = assert_enqueued(KIND)
    assert timedelta(seconds=5) < job.run_at - clock.now() <= timedelta(seconds=9)


def test_a_run_does_not_come_again_by_itself_when_nothing_waits(receiver: Receiver) -> None:
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    assert_not_enqueued(KIND)


def test_a_lane_is_let_go_at_the_end(receiver: Receiver) -> None:
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    lane = Lane.objects.get()
    assert (lane.job_id, lane.held_until) == (None, None)


def test_the_jobs_of_the_platform_send_what_was_emitted(receiver: Receiver) -> None:
    endpoint_make(url=receiver.url())
    event_emit(TEST, {})

    send_due.enqueue()
    drain()
    assert len(receiver.received) == 1
    assert Endpoint.objects.get().state == "enabled"


def test_a_helper_goes_on_while_there_is_more_to_send(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "RUN_S", 0.0)  # over before it has begun
    delivery_make(endpoint_make(url=receiver.url()))
    assert isinstance(job_perform("webhooks.send_more", number=1), Snooze)
    monkeypatch.undo()
    assert isinstance(job_perform("webhooks.send_more", number=1), Done)
    assert Delivery.objects.get().state == "delivered"


def test_a_run_that_is_at_its_end_calls_helpers_while_an_endpoint_hangs(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "RUN_S", 0.2)
    receiver.hangs()
    delivery_make(endpoint_make(url=receiver.url(), timeout_s=1))
    send()
    assert_enqueued("webhooks.send_more", number=1)
    assert_enqueued("webhooks.send_more", number=3)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_for_a_moment_sends_nothing_twice(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = endpoint_make(url=receiver.url())
    for _ in range(3):
        delivery_make(endpoint)
    cuts, real = iter([True]), lanes.fates_write

    def cut(*given: Any) -> tuple[set[int], set[UUID]]:
        if next(cuts, False):
            sql.run("SELECT pg_terminate_backend(pg_backend_pid())")
        return real(*given)

    monkeypatch.setattr(lanes, "fates_write", cut)
    send()
    assert next(cuts, "all used") == "all used"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert (len(receiver.received), Attempt.objects.count()) == (3, 3)


def test_an_error_of_our_own_is_an_attempt_that_says_so_and_stops_no_other(
    receiver: Receiver,
) -> None:
    broken, fine = endpoint_make(secret="whsec_!"), endpoint_make(url=receiver.url())
    delivery_make(broken)
    delivery_make(fine)
    send()
    assert Attempt.objects.get(endpoint_id=broken.pk).error == "our own error; the log has it"
    assert Delivery.objects.get(endpoint=fine).state == "delivered"


def test_a_run_that_holds_all_the_lanes_it_may_calls_helpers(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LANES", 1)
    monkeypatch.setattr(run, "RUN_S", 0.5)
    receiver.hangs("/hanging")
    delivery_make(endpoint_make(url=receiver.url("/hanging"), timeout_s=1))
    delivery_make(endpoint_make(url=receiver.url("/")))
    send()
    assert_enqueued("webhooks.send_more", number=1)
    job_perform("webhooks.send_more", number=1)
    assert receiver.paths().count("/") == 1


def test_an_endpoint_that_is_switched_off_in_the_middle_gets_nothing_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "RENEW_S", 0.0)
    hold = receiver.hangs()
    endpoint = endpoint_make(url=receiver.url())
    for _ in range(5):
        delivery_make(endpoint)
    look = lanes.lanes_renew

    def switched_off(holder: lanes.Holder) -> dict[UUID, Config | None]:
        if receiver.received and Endpoint.objects.get().state == "enabled":
            endpoint_disable(endpoint_id=endpoint.pk, by=None)
            hold.set()
        return look(holder)

    monkeypatch.setattr(lanes, "lanes_renew", switched_off)
    send()
    assert len(receiver.received) == 1
    assert Delivery.objects.filter(state="pending").count() == 4
