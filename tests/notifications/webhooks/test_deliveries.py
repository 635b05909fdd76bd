from datetime import datetime, timedelta
from typing import Any

import pytest

from jobs import sql
from jobs.models import AuditEntry
from jobs.outcomes import Done
from jobs.testing import assert_enqueued, drain, job_perform
from lib import clock, partitions
from lib.errors import InputInvalid, NotFound
from lib.ids import uuid7
from lib.partitions import days_prepare
from lib.patience import TableBusy
from notifications.webhooks import batches
from notifications.webhooks.deliveries import (
    Which,
    deliveries_cancel,
    deliveries_replay,
    deliveries_replay_since,
    delivery_cancel,
    delivery_replay,
    span_count,
    span_make,
)
from notifications.webhooks.errors import (
    DeliveryNotPending,
    DeliveryPending,
    EndpointDisabled,
)
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Event, Tally
from notifications.webhooks.services import event_emit
from notifications.webhooks.types import TEST, event_type_register
from tests.notifications.webhooks.rows import delivery_make, endpoint_make

event_type_register("test.happened", "Of the tests", {})

OFF: dict[str, Any] = {"state": "disabled", "disabled_reason": "person"}


def off(**changes: Any) -> Endpoint:
    return endpoint_make(**OFF, disabled_at=clock.now(), **changes)


def replay(endpoint: Endpoint, which: Which, since: datetime, until: datetime | None = None) -> int:
    span = span_make(endpoint_id=endpoint.pk, since=since, until=until, which=which)
    counted = span_count(span)
    deliveries_replay_since(span=span, by=None)
    drain(queues=["maintenance"])
    return counted


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


@pytest.mark.parametrize("state", ["delivered", "failed", "cancelled"])
def test_what_has_ended_is_sent_again_with_all_its_tries(state: str) -> None:
    delivery = delivery_make(state=state, tries=10, attempts=10)
    delivery_replay(delivery_id=delivery.pk, by=None)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.attempts) == ("pending", 0, 10)
    assert (delivery.finished_at, delivery.replays) == (None, 1)
    assert AuditEntry.objects.get().action == "webhooks.replay"


def test_what_waits_is_not_replayed() -> None:
    delivery = delivery_make()
    with pytest.raises(DeliveryPending):
        delivery_replay(delivery_id=delivery.pk, by=None)


def test_nothing_is_replayed_to_an_endpoint_that_is_off() -> None:
    delivery = delivery_make(off(), state="failed")
    with pytest.raises(EndpointDisabled):
        delivery_replay(delivery_id=delivery.pk, by=None)


def test_a_waiting_delivery_is_taken_back_once() -> None:
    delivery = delivery_make()
    delivery_cancel(delivery_id=delivery.pk, by=None)
    assert states() == ["cancelled"]
    with pytest.raises(DeliveryNotPending, match="is cancelled"):
        delivery_cancel(delivery_id=delivery.pk, by=None)


def test_of_many_those_that_can_are_changed() -> None:
    endpoint = endpoint_make()
    rows = [delivery_make(endpoint, state=state) for state in ("pending", "failed", "delivered")]
    ids = [row.pk for row in rows]
    assert deliveries_replay(delivery_ids=ids, by=None) == set(ids[1:])
    assert deliveries_cancel(delivery_ids=[*ids, 10**12], by=None) == set(ids)
    assert states() == ["cancelled"] * 3


def test_a_delivery_that_is_not_there_is_not_found() -> None:
    for act in (delivery_replay, delivery_cancel):
        with pytest.raises(NotFound):
            act(delivery_id=10**12, by=None)


def test_a_span_is_replayed_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    now, endpoint = clock.now(), endpoint_make()
    for hours in (5, 4, 3, 2, 1):
        at = now - timedelta(hours=hours)
        delivery_make(endpoint, state="failed", created_at=at)
        delivery_make(endpoint, state="delivered", created_at=at)
    delivery_make(state="failed", created_at=now - timedelta(hours=3))  # of another endpoint

    counted = replay(endpoint, Which.FAILED, now - timedelta(hours=4), now - timedelta(hours=1))

    assert counted == 3
    assert states() == ["failed", "delivered", *["pending", "delivered"] * 3, "failed", "delivered",
                        "failed"]  # fmt: skip
    assert replay(endpoint, Which.ALL, now - timedelta(hours=6)) == 7
    assert states().count("pending") == 10


def test_a_killed_replay_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    now, endpoint = clock.now(), endpoint_make()
    rows = [
        delivery_make(endpoint, state="failed", created_at=now - timedelta(hours=hours))
        for hours in (3, 2, 1)
    ]
    done, after = batches.replay_batch(endpoint.pk, now - timedelta(1), now, ["failed"], None)
    assert (done, after) == (2, (rows[1].created_at, str(rows[1].pk)))
    Delivery.objects.update(state="failed", finished_at=now)  # they failed again meanwhile
    done, after = batches.replay_batch(endpoint.pk, now - timedelta(1), now, ["failed"], after)
    assert done == 1
    assert batches.replay_batch(endpoint.pk, now - timedelta(1), now, ["failed"], after) == (
        0,
        None,
    )


def test_what_an_endpoint_missed_while_it_was_off_is_told_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    since = clock.now()
    endpoint = off(event_types=["test.happened"])
    endpoint_make()  # wants everything, so that the others are kept, too
    for _ in range(3):
        event_emit("test.happened", {})
        event_emit(TEST, {})
    Endpoint.objects.filter(pk=endpoint.pk).update(
        state="enabled", disabled_at=None, disabled_reason=""
    )
    event_emit("test.happened", {})
    mine = Delivery.objects.filter(endpoint=endpoint)
    assert mine.count() == 1
    assert replay(endpoint, Which.MISSING, since) == 3
    assert mine.count() == 4
    assert set(mine.values_list("event_type", flat=True)) == {"test.happened"}
    assert replay(endpoint, Which.MISSING, since) == 0
    assert mine.count() == 4


def test_a_span_that_is_none_is_refused() -> None:
    endpoint, now = endpoint_make(), clock.now()
    for since, until in [(now + timedelta(1), None), (now, now), (now, now - timedelta(1))]:
        with pytest.raises(InputInvalid):
            span_make(endpoint_id=endpoint.pk, since=since, until=until, which=Which.ALL)
    with pytest.raises(NotFound):
        span_make(endpoint_id=uuid7(), since=now - timedelta(1), until=None, which=Which.ALL)


def test_a_span_is_not_replayed_to_an_endpoint_that_is_off() -> None:
    since = clock.now() - timedelta(1)
    span = span_make(endpoint_id=off().pk, since=since, until=None, which=Which.ALL)
    with pytest.raises(EndpointDisabled):
        deliveries_replay_since(span=span, by=None)


def test_a_replay_of_a_span_is_one_job_and_audited() -> None:
    endpoint = endpoint_make()
    since = clock.now() - timedelta(1)
    span = span_make(endpoint_id=endpoint.pk, since=since, until=None, which=Which.FAILED)
    job_id = deliveries_replay_since(span=span, by=None)
    assert assert_enqueued("webhooks.replay", endpoint_id=str(endpoint.pk)).pk == job_id
    assert AuditEntry.objects.get().changes["which"] == "failed"


def test_old_events_are_forgotten_with_all_that_hangs_on_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    endpoint, old = endpoint_make(), clock.now() - timedelta(days=31)
    for _ in range(5):
        delivery = delivery_make(endpoint, state="delivered", created_at=old)
        Event.objects.filter(pk=delivery.event_id).update(created_at=old)
        Attempt.objects.create(
            delivery=delivery, endpoint_id=endpoint.pk, number=1, at=old, duration_ms=1,
            outcome="delivered", url="",
        )  # fmt: skip
    kept = delivery_make(endpoint)
    outcome = job_perform("webhooks.clean")
    assert isinstance(outcome, Done)
    assert outcome.result["events"] == 5
    assert Event.objects.get().pk == kept.event_id
    assert Delivery.objects.get() == kept
    assert not Attempt.objects.exists()


def test_days_of_attempts_are_dropped_whole_and_younger_ones_stay() -> None:
    old, endpoint = clock.now() - timedelta(days=32), endpoint_make()
    with clock.shift(timedelta(days=-32)):
        days_prepare("webhook_attempt", "at", ahead=0)
    name = f"webhook_attempt_{old:%Y%m%d}"
    for at in (old, clock.now() - timedelta(days=29)):
        Attempt.objects.create(
            delivery=delivery_make(endpoint), endpoint_id=endpoint.pk, number=1, at=at,
            duration_ms=1, outcome="delivered", url="",
        )  # fmt: skip
    assert sql.row(f"SELECT count(*) FROM {name}") == (1,)
    outcome = job_perform("webhooks.clean")
    assert isinstance(outcome, Done)
    assert (outcome.result["days"], outcome.result["events"]) == (1, 0)
    assert sql.row("SELECT to_regclass(%s)", [name]) == (None,)
    assert Attempt.objects.get().at > old


def test_a_table_that_is_read_for_long_keeps_its_days_until_the_next_night(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise TableBusy

    with clock.shift(timedelta(days=-32)):
        days_prepare("webhook_attempt", "at", ahead=0)
    monkeypatch.setattr(partitions, "days_drop", busy)
    outcome = job_perform("webhooks.clean")
    assert isinstance(outcome, Done)
    assert outcome.result["days"] == 0


def test_counts_older_than_two_weeks_become_sums_and_totals_stay() -> None:
    endpoint, now = endpoint_make(), clock.now()
    for days in (0, 1, 15, 16, 17):
        Tally.objects.create(endpoint_id=endpoint.pk, at=now - timedelta(days), delivered=days + 1)
    for expected in (3, 0):
        assert batches.tallies_fold() == expected
        assert sum(Tally.objects.values_list("delivered", flat=True)) == 1 + 2 + 16 + 17 + 18
        assert Tally.objects.count() == 3


def test_secrets_that_sign_nothing_any_more_are_wiped() -> None:
    now = clock.now()
    endpoint_make(old_secret="whsec_1", old_secret_expires_at=now - timedelta(seconds=1))
    alive = endpoint_make(old_secret="whsec_2", old_secret_expires_at=now + timedelta(hours=1))
    assert batches.old_secrets_forget() == 1
    assert Endpoint.objects.exclude(old_secret=None).get() == alive
