"""Two people at once, each with the control that shows what the lock is for."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import QuerySet

from jobs import sql
from lib import clock
from lib.ids import uuid7
from notifications.webhooks import batches, lanes
from notifications.webhooks.answers import Verdict
from notifications.webhooks.deliveries import deliveries_cancel, deliveries_replay
from notifications.webhooks.endpoints import endpoint_rotate_secret
from notifications.webhooks.errors import RotationUnfinished
from notifications.webhooks.flow import Fate, Flow
from notifications.webhooks.lanes import Holder
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Lane
from notifications.webhooks.run import fates_and_ends_write
from notifications.webhooks.wire import Reply
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make
from tests.races.parties import parties
from tests.races.together import LONG_S

pytestmark = pytest.mark.django_db(transaction=True)

LOCKED = pytest.mark.parametrize("locked", [True, False], ids=["locked", "control"])


@LOCKED
def test_two_rotations_at_once_leave_the_secret_that_receivers_know(
    monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    endpoint_id = endpoint_make().pk
    if not locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    def rotate() -> bool:
        try:
            endpoint_rotate_secret(endpoint_id=endpoint_id, by=None)
        except RotationUnfinished:
            return False
        return True

    with parties() as begin:
        first = begin(rotate).wait()
        second = begin(rotate).wait_blocked()
        rotated = [first.commit(), second.commit()]
    assert rotated == ([True, False] if locked else [True, True])
    assert Endpoint.objects.get().old_secret == SECRET


@LOCKED
def test_two_replays_at_once_are_one(monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    delivery_id = delivery_make(state="failed").pk
    if not locked:
        rows = sql.rows

        def unlocked(query: str, params: sql.Params = ()) -> list[tuple[Any, ...]]:
            return rows(query.replace("FOR NO KEY UPDATE OF d", ""), params)

        monkeypatch.setattr(sql, "rows", unlocked)

    def replay() -> set[int]:
        return deliveries_replay(delivery_ids=[delivery_id], by=None)

    with parties() as begin:
        first = begin(replay).wait()
        second = begin(replay).wait_blocked()
        changed = len(first.commit()) + len(second.commit())
    assert changed == (1 if locked else 2)
    assert Delivery.objects.get().replays == changed


class Sender:
    """A run that has sent all that is due in its one lane, and is about to write what came of it."""

    def __init__(self, *, is_gone: bool = False) -> None:
        self.holder = Holder(uuid7(), 1)
        (self.flow,) = lanes.lanes_take(self.holder, limit=1)
        self.flow.window = 64
        found = lanes.deliveries_due([(self.flow, 64)])
        self.flow.waiting.extend(found[self.flow.config.endpoint_id])
        verdict = (
            Verdict("failed", "410", is_gone=True) if is_gone else Verdict("failed", "answered 500")
        )
        self.fates: list[Fate] = []
        while (due := self.flow.launch(clock.now(), 0, is_scarce=False)) is not None:
            now = clock.now()
            self.fates.append(
                self.flow.settle(due, Reply(500, duration_s=0.01), verdict, began=now, now=now)
            )

    def write(self) -> set[int]:
        flows: list[Flow] = [self.flow]
        return fates_and_ends_write(self.holder, self.fates, flows)[0]


@pytest.mark.parametrize("ordered", [True, False], ids=["ordered", "control"])
def test_a_run_and_a_person_who_cancels_never_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch, ordered: bool
) -> None:
    if not ordered:
        order = "ORDER BY id FOR NO KEY UPDATE"
        assert order in lanes._FATES
        turned = lanes._FATES.replace(order, order.replace("id", "id DESC"))
        monkeypatch.setattr(lanes, "_FATES", turned)
    endpoint = endpoint_make()
    first, last = (delivery_make(endpoint).pk for _ in range(2))
    sender = Sender()
    with parties() as begin:
        held = threading.Event()

        def cancel() -> set[int]:
            changed = deliveries_cancel(delivery_ids=[first], by=None)
            assert held.wait(LONG_S)
            return changed | deliveries_cancel(delivery_ids=[last], by=None)

        person = begin(cancel)
        while not sql.rows(
            """SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE l.relation = 'webhook_delivery'::regclass AND l.mode = 'RowExclusiveLock'
                AND a.datname = current_database() AND a.backend_type = 'client backend'"""
        ):
            held.wait(0.01)
        run = begin(sender.write).wait_blocked()
        held.set()
        if not ordered:
            with pytest.raises(OperationalError, match="deadlock"):
                _ = person.wait().commit(), run.wait().commit()
            return
        assert person.wait().commit() == {first, last}
        assert run.wait().commit() == set()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"cancelled"}
    assert Attempt.objects.count() == 2


def test_an_attempt_of_a_delivery_that_is_being_removed_is_not_kept() -> None:
    gone, other = delivery_make(), delivery_make()
    senders = [Sender(), Sender()]
    both = [fate for sender in senders for fate in sender.fates]
    assert {fate.delivery_id for fate in both} == {gone.pk, other.pk}
    with parties() as begin:
        purge = begin(lambda: batches.endpoint_purge(gone.endpoint_id)).wait()
        mine = next(each for each in senders if each.flow.config.endpoint_id == other.endpoint_id)
        mine.fates = both
        run = begin(mine.write).wait_blocked()
        assert purge.commit() == 1
        assert run.wait().commit() == {other.pk}
    assert set(Attempt.objects.values_list("delivery_id", flat=True)) == {other.pk}


def test_switching_off_by_itself_and_a_person_never_wait_for_each_other() -> None:
    endpoint = endpoint_make()
    delivery_make(endpoint)
    sender = Sender(is_gone=True)
    with parties() as begin:
        # Whoever changes an endpoint locks it first, then its lane.
        person = begin(lambda: Endpoint.objects.select_for_update(no_key=True).get()).wait()
        run = begin(sender.write).wait_blocked()
        lane = begin(lambda: Lane.objects.select_for_update(no_key=True, nowait=True).get()).wait()
        assert lane.commit().endpoint_id == endpoint.pk
        person.commit()
        run.wait().commit()
    assert Endpoint.objects.get().disabled_reason == Endpoint.Reason.GONE


def test_a_replay_of_many_waits_for_no_delivery_that_it_leaves_alone() -> None:
    endpoint = endpoint_make()
    ended, waiting = delivery_make(endpoint, state="failed").pk, delivery_make(endpoint).pk
    now = clock.now()
    with parties() as begin:
        run = begin(lambda: list(Delivery.objects.select_for_update().filter(pk=waiting))).wait()
        span = (endpoint.pk, now - timedelta(hours=1), now + timedelta(hours=1))
        replay = begin(lambda: batches.replay_batch(*span, ["failed"], None)).wait_blocked()
        assert replay.acted.is_set()
        assert replay.commit()[0] == 1
        run.commit()
    assert Delivery.objects.get(pk=ended).replays == 1


@pytest.mark.parametrize("what", ["endpoint", "events"])
def test_what_is_removed_goes_with_attempts_that_are_written_just_now(what: str) -> None:
    delivery = delivery_make()
    sender = Sender()
    later = clock.now() + timedelta(hours=1)
    with parties() as begin:
        run = begin(sender.write).wait()
        purge = begin(
            (lambda: batches.endpoint_purge(delivery.endpoint_id))
            if what == "endpoint"
            else (lambda: batches.events_forget(later))
        ).wait_blocked()
        assert run.commit() == {delivery.pk}
        assert purge.wait().commit() == 1
    assert not Attempt.objects.exists()
    assert not Delivery.objects.exists()
