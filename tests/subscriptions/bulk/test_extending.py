"""Extensions: one date however often it is written, beside payments and people who change the same."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.testing import drain, job_perform
from lib import clock
from payments.models import Payment
from subscriptions import turns
from subscriptions.bulk import extending
from subscriptions.bulk.acts import look
from subscriptions.bulk.packs import intents_write, pack_take
from subscriptions.bulk.turning import turns_held
from subscriptions.models import Activation, BulkItem, BulkKind, BulkOperation
from subscriptions.panel.door import panel
from subscriptions.panel.types import PanelStatus
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror
from tests.subscriptions.bulk.test_walk import ALIVE, counts, fates, start


def test_an_extension_writes_one_date_however_often_it_is_done(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    (row,) = mirror(1, **ALIVE)
    before = row.expire_at
    operation = start(BulkKind.EXTEND, [row], days=30)
    drain()
    item = BulkItem.objects.get(operation=operation)
    # As if the worker had been killed after the panel was asked and before the fate was written.
    BulkItem.objects.update(state="running", walker=1)
    BulkOperation.objects.update(state="running", done=0, finished_at=None)
    job_perform("subscriptions.bulk_walk", operation_id=operation.pk, walker=1)
    assert counts(operation) == ("done", 1, 1, 0, 0)
    assert panel().user(row.panel_id or 0).expire_at == before + timedelta(days=30)
    assert len(panel_on.panel.writes()) == 1
    item.refresh_from_db()
    assert item.state == "done"


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_payment_between_two_tries_of_an_extension_costs_nobody_a_day(
    mirror: Mirror, is_counted: bool
) -> None:
    (row,) = mirror(1, **ALIVE)
    operation = start(BulkKind.EXTEND, [row], days=5)
    (item,) = pack_take(operation.pk, 1, 1)
    extended = row.expire_at + timedelta(days=5)
    # A try was killed after it kept its date; then a payment was activated, on top of it or not.
    intents_write(
        1,
        [(item.pk, {"expire_at": row.expire_at.isoformat()}, {"expire_at": extended.isoformat()})],
    )
    base = extended if is_counted else row.expire_at
    paid_until = base + timedelta(days=30)
    payment = Payment.objects.create(
        plan_code="m", plan_title="M", period_days=30, currency_type="crypto", currency="USDT",
        amount=5, subscriber_id=row.pk,
    )  # fmt: skip
    Activation.objects.create(
        payment=payment, subscriber=row, days=30, base_expire_at=base, target_expire_at=paid_until,
        state="applied", applied_at=clock.now(),
    )  # fmt: skip
    panel().user_update(row.panel_id or 0, expire_at=paid_until)
    job_perform("subscriptions.bulk_walk", operation_id=operation.pk, walker=1)
    assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=35)
    drain()
    assert counts(operation) == ("done", 1, 1, 0, 0)


def test_an_extension_counts_what_is_paid_and_not_applied_yet(mirror: Mirror) -> None:
    (row,) = mirror(1, **ALIVE)
    payment = Payment.objects.create(
        plan_code="m", plan_title="M", period_days=30, currency_type="crypto", currency="USDT",
        amount=5, subscriber_id=row.pk,
    )  # fmt: skip
    Activation.objects.create(
        payment=payment, subscriber=row, days=30, base_expire_at=row.expire_at,
        target_expire_at=row.expire_at + timedelta(days=30),
    )  # fmt: skip
    operation = start(BulkKind.EXTEND, [row], days=5)
    drain()
    assert counts(operation)[:3] == ("done", 1, 1)
    assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=35)


def test_an_extension_waits_for_a_person_who_changes_the_same_subscriber(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", timedelta(0))
    (row,) = mirror(1, **ALIVE)
    operation = start(BulkKind.EXTEND, [row], days=5)
    with turns.turn(row.pk):
        drain()
        assert panel_on.panel.writes() == []
    with clock.shift(timedelta(minutes=1)):
        drain()
    assert counts(operation) == ("done", 1, 1, 0, 0)


def test_others_are_extended_while_a_person_changes_one(mirror: Mirror, panel_on: Sandbox) -> None:
    rows = mirror(3, **ALIVE)
    operation = start(BulkKind.EXTEND, rows, days=5)
    with turns.turn(rows[0].pk):
        drain()
        assert counts(operation) == ("running", 3, 2, 0, 0)
        assert len(panel_on.panel.writes()) == 2
    with clock.shift(timedelta(minutes=1)):
        drain()
    assert counts(operation) == ("done", 3, 3, 0, 0)


def test_turns_are_given_back_soon_where_the_panel_is_slow(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = mirror(4, **ALIVE)
    monkeypatch.setattr(extending, "HOLD_S", 0.0)  # no time for a second one in the same turn
    taken: list[int] = []
    real = turns_held

    def counted(*given: Any) -> Any:
        taken.append(len(given[2]))
        return real(*given)

    monkeypatch.setattr(extending, "turns_held", counted)
    operation = start(BulkKind.EXTEND, rows, days=5)
    drain()
    assert (counts(operation), taken) == (("done", 4, 4, 0, 0), [4, 3, 2, 1])
    for row in rows:
        assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=5)


def test_nothing_is_written_for_whom_the_turn_may_have_lapsed_amid_the_reads(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, panel_on: Sandbox
) -> None:
    rows = mirror(3, **ALIVE)
    real, seen = look, []

    def slow(pack: Any, client: Any) -> None:
        real(pack, client)
        seen.append((len(pack.items), len(panel_on.panel.writes())))
        # Reading more than one of them takes longer than their turns last.
        monkeypatch.setattr(extending, "LATEST_S", -1.0 if len(pack.items) > 1 else 60.0)

    monkeypatch.setattr(extending, "look", slow)
    operation = start(BulkKind.EXTEND, rows, days=5)
    drain()
    assert counts(operation) == ("done", 3, 3, 0, 0)
    assert seen == [(3, 0), (1, 0), (1, 1), (1, 2)]  # together none, then one by one
    for row in rows:
        assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=5)


def test_a_walker_that_was_believed_dead_gives_back_nothing_of_its_successor(
    mirror: Mirror,
) -> None:
    (row,) = mirror(1, **ALIVE)
    operation = start(BulkKind.EXTEND, [row], days=5)
    dead, heir = (turns_held(operation.pk, 1, [row.pk]) for _ in range(2))
    assert dead.__enter__() == {row.pk}
    with heir as taken:
        assert taken == {row.pk}
        dead.__exit__(None, None, None)
        with turns_held(operation.pk, 2, [row.pk]) as other:
            assert other == set()
    with turns_held(operation.pk, 2, [row.pk]) as other:
        assert other == {row.pk}


def test_a_walker_takes_the_turns_of_the_one_that_was_killed(mirror: Mirror) -> None:
    (row,) = mirror(1, **ALIVE)
    operation = start(BulkKind.EXTEND, [row], days=5)
    with turns_held(operation.pk, 1, [row.pk]) as killed:
        assert killed == {row.pk}
        with turns_held(operation.pk, 2, [row.pk]) as other:
            assert other == set()
        job_perform("subscriptions.bulk_walk", operation_id=operation.pk, walker=1)
    assert counts(operation) == ("done", 1, 1, 0, 0)


def test_a_date_beyond_all_calendars_is_the_fate_of_one(mirror: Mirror, panel_on: Sandbox) -> None:
    rows = mirror(2, **ALIVE)
    panel_on.panel.change(rows[0].panel_id or 0, expireAt="9999-01-01T00:00:00.000Z")
    operation = start(BulkKind.EXTEND, rows, days=3650)
    drain()
    assert counts(operation) == ("done", 2, 1, 1, 0)
    assert fates(operation) == [("failed", "refused"), ("done", "")]


def test_an_extension_of_somebody_expired_begins_now_and_revives(mirror: Mirror) -> None:
    (row,) = mirror(1, expires_from_s=-864_000.0, expires_to_s=-86_400.0)
    operation = start(BulkKind.EXTEND, [row], days=1)
    drain()
    assert counts(operation)[:3] == ("done", 1, 1)
    user = panel().user(row.panel_id or 0)
    assert user.status is PanelStatus.ACTIVE
    assert timedelta(hours=23) < user.expire_at - clock.now() <= timedelta(days=1)
