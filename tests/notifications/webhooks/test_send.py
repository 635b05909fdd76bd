import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook

from jobs import sql
from jobs.outcomes import Done, Snooze
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from lib import clock
from notifications.webhooks import lanes, run
from notifications.webhooks.endpoints import endpoint_disable
from notifications.webhooks.flow import Config
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Lane, Tally
from notifications.webhooks.services import event_emit
from notifications.webhooks.tasks import send_due
from notifications.webhooks.types import TEST
from notifications.webhooks.wire import KEPT_BYTES
from tests.notifications.webhooks.receiver import Answer, Receiver
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make

KIND = "webhooks.send_due"


def send() -> None:
    assert isinstance(job_perform(KIND), Done)


def test_an_event_arrives_signed_as_the_library_of_the_standard_wants_it(
    receiver: Receiver,
) -> None:
    endpoint_make(url=receiver.url("/hooks"))
    event_id = event_emit(TEST, {"id": 7, "name": "Zoë"})
    send()

    (request,) = receiver.received
    verified = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert (verified["type"], verified["data"]) == (TEST, {"id": 7, "name": "Zoë"})
    assert request.headers["webhook-id"] == f"msg_{event_id.hex}"
    assert request.headers["Content-Type"] == "application/json"

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.attempts) == ("delivered", 1, 1)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome, attempt.status) == (1, "delivered", 204)
    assert attempt.url == receiver.url("/hooks")
    assert Tally.objects.get().delivered == 1


def test_during_a_rotation_the_old_and_the_new_secret_both_fit(receiver: Receiver) -> None:
    new = "whsec_" + "bmV3" * 11
    endpoint_make(
        url=receiver.url(),
        secret=new,
        old_secret=SECRET,
        old_secret_expires_at=clock.now() + timedelta(hours=1),
    )
    event_emit(TEST, {})
    send()
    for secret in (new, SECRET):
        Webhook(secret).verify(receiver.received[0].body, dict(receiver.received[0].headers))


def test_an_old_secret_signs_nothing_after_its_end(receiver: Receiver) -> None:
    endpoint_make(
        url=receiver.url(),
        old_secret="whsec_" + "b2xk" * 11,
        old_secret_expires_at=clock.now() - timedelta(seconds=1),
    )
    event_emit(TEST, {})
    send()
    assert len(receiver.received[0].headers["webhook-signature"].split()) == 1


def test_a_failed_delivery_climbs_the_ladder_and_keeps_id_and_body(
    receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_RETRY_DELAYS = (timedelta(minutes=1), timedelta(hours=1))
    receiver.answers(Answer(500, body=b"boom\x00"), Answer(404))
    endpoint_make(url=receiver.url())
    event_emit(TEST, {"id": 7})
    send()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.last_status) == ("pending", 1, 500)
    wait = delivery.next_attempt_at - clock.now()
    assert timedelta(seconds=50) < wait < timedelta(seconds=67)  # 10 % of jitter

    send()
    assert len(receiver.received) == 1, "it is not due yet"
    with clock.shift(timedelta(minutes=2)):
        send()
        with clock.shift(timedelta(hours=2)):
            send()
    assert len({(each.headers["webhook-id"], each.body) for each in receiver.received}) == 1
    assert list(Attempt.objects.order_by("id").values_list("number", "status")) == [
        (1, 500),
        (2, 404),
        (3, 204),
    ]
    assert Attempt.objects.order_by("id")[0].response_body == "boom�"
    assert Delivery.objects.get().state == "delivered"


def test_a_delivery_whose_ladder_is_used_up_is_failed(
    receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_RETRY_DELAYS = ()
    receiver.answers(Answer(500))
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("failed", "answered 500")
    assert delivery.finished_at is not None


@pytest.mark.parametrize(("status", "tries"), [(429, 0), (503, 1)])
def test_an_endpoint_that_says_retry_after_is_left_alone_so_long(
    receiver: Receiver, settings: Settings, status: int, tries: int
) -> None:
    settings.WEBHOOK_RETRY_DELAYS = (timedelta(seconds=1),)
    receiver.answers(Answer(status, {"Retry-After": "120"}))
    endpoint = endpoint_make(url=receiver.url())
    first, second = delivery_make(endpoint), delivery_make(endpoint)
    send()
    assert len(receiver.received) == 1, "the second delivery waits, too"
    first.refresh_from_db()
    assert first.tries == tries
    assert first.next_attempt_at - clock.now() > timedelta(seconds=100)
    with clock.shift(timedelta(seconds=110)):
        send()
    assert len(receiver.received) == 1
    with clock.shift(timedelta(seconds=121)):
        send()
    assert len(receiver.received) == 3
    second.refresh_from_db()
    assert second.state == "delivered"


def test_410_ends_the_delivery_and_disables_the_endpoint(receiver: Receiver) -> None:
    receiver.answers(Answer(410))
    endpoint = endpoint_make(url=receiver.url())
    delivery_make(endpoint)
    delivery_make(endpoint)
    send()
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "gone")
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["failed", "pending"]
    send()
    assert len(receiver.received) == 1, "nothing goes to a disabled endpoint"


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data", "/elsewhere"])
def test_a_redirect_is_not_followed(receiver: Receiver, location: str) -> None:
    receiver.answers(Answer(302, {"Location": location}), path="/old")
    delivery_make(endpoint_make(url=receiver.url("/old")))
    send()
    assert receiver.paths() == ["/old"]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_status) == ("pending", 302)
    assert "redirects are not followed" in delivery.last_error


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_no_request_reaches_a_private_address(
    receiver: Receiver, settings: Settings, host: str
) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    delivery_make(endpoint_make(url=receiver.url(host=host)))
    send()
    assert receiver.received == []
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "the address is not public")


def test_a_connection_that_is_cut_is_a_failure(receiver: Receiver) -> None:
    receiver.answers(Answer(cut=True))
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "the connection was cut before the answer")


def test_an_endpoint_that_does_not_answer_is_given_up_after_its_timeout(
    receiver: Receiver,
) -> None:
    receiver.hangs()
    delivery_make(endpoint_make(url=receiver.url(), timeout_s=1))
    send()
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "no answer in time")
    assert attempt.duration_ms >= 1000


def test_of_a_long_answer_the_beginning_is_kept(receiver: Receiver) -> None:
    receiver.default["/"] = Answer(200, {"Content-Type": "text/plain"}, b"x" * 300_000)
    delivery_make(endpoint_make(url=receiver.url()))
    send()
    attempt = Attempt.objects.get()
    assert attempt.response_body == "x" * KEPT_BYTES
    assert (attempt.outcome, attempt.response_type) == ("delivered", "text/plain")


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


def test_a_cancelled_delivery_is_not_sent(receiver: Receiver) -> None:
    delivery_make(endpoint_make(url=receiver.url()), state="cancelled")
    send()
    assert receiver.received == []


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


def test_a_secret_that_cannot_be_read_sends_nothing_and_says_what_to_do(
    receiver: Receiver, settings: Settings
) -> None:
    lost = endpoint_make(url=receiver.url())
    former, settings.SECRET_KEY = (
        settings.SECRET_KEY,
        "another key of at least thirty-two characters",
    )
    fine = endpoint_make(url=receiver.url())
    delivery_make(lost)
    delivery_make(fine)
    send()
    assert len(receiver.received) == 1
    assert Delivery.objects.get(endpoint=fine).state == "delivered"
    waits = Delivery.objects.get(endpoint=lost)
    assert (waits.state, "SECRET_KEY_FALLBACKS" in waits.last_error) == ("pending", True)

    settings.SECRET_KEY_FALLBACKS = [former]
    with clock.shift(timedelta(hours=1)):
        send()
    assert Delivery.objects.get(endpoint=lost).state == "delivered"
    last = receiver.received[-1]
    assert last.headers["webhook-signature"]


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
