"""What a bulk operation may not cost anybody: paid days, days given twice, another person's access."""

import io
from datetime import timedelta
from typing import Any

import pytest

from jobs.outcomes import Snooze
from jobs.testing import drain, job_perform
from lib import clock
from payments.models import Payment
from subscriptions import turns
from subscriptions.activation.run import activation_run
from subscriptions.bulk import control, extending, importing
from subscriptions.bulk.importing import import_start
from subscriptions.models import Activation, BulkItem, BulkKind, BulkOperation, Subscriber
from subscriptions.panel.door import panel
from subscriptions.panel.types import PanelStatus
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror
from tests.subscriptions.bulk.test_walk import ALIVE, counts, fates, start

MONTH = timedelta(days=30)
LATER = timedelta(minutes=30)  # a breaker that opened has closed by then


def status_of(row: Subscriber) -> PanelStatus:
    return panel().user(row.panel_id or 0).status


def paid(row: Subscriber, **fields: Any) -> Activation:
    """A payment for a month, not activated yet."""
    now = clock.now()
    payment = Payment.objects.create(
        plan_code="m", plan_title="M", period_days=30, currency_type="crypto", currency="USDT",
        amount=5, subscriber_id=row.pk, state="completed", paid_at=now, completed_at=now,
        external_id=f"77{row.pk}",
    )  # fmt: skip
    return Activation.objects.create(payment=payment, subscriber=row, days=30, **fields)


@pytest.fixture
def unsure(mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch) -> BulkOperation:
    """An extension by 5 days of which nobody knows whether it was done: it was."""
    (row,) = mirror(1, **ALIVE)
    operation = start(BulkKind.EXTEND, [row], days=5)

    def strike(point: str) -> None:
        if point == "bulk.intended":
            panel_on.panel.fault(kind="cut_after", method="users.update", times=1)
            panel_on.panel.fault(kind="status", status=503, method="users.get")

    monkeypatch.setattr(extending, "fault", strike)
    drain()
    monkeypatch.undo()
    panel_on.panel.clear_faults()
    assert fates(operation) == [("failed", "unsure")]
    return operation


def test_trying_again_what_was_done_after_all_gives_no_second_extension(
    unsure: BulkOperation, panel_on: Sandbox
) -> None:
    row = Subscriber.objects.get()
    with clock.shift(LATER):
        again = control.bulk_retry_failed(operation_id=unsure.pk, by=None)
        drain()
    assert counts(again) == ("done", 1, 1, 0, 0)
    assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=5)
    assert len(panel_on.panel.writes(call="users.update")) == 1
    # And what was found to be done can be taken back.
    with clock.shift(LATER):
        undo = control.bulk_undo(operation_id=again.pk, by=None)
        drain()
    assert counts(undo)[:3] == ("done", 1, 1)
    assert panel().user(row.panel_id or 0).expire_at == row.expire_at


def test_trying_again_counts_what_was_paid_on_top_meanwhile(unsure: BulkOperation) -> None:
    row = Subscriber.objects.get()
    extended = row.expire_at + timedelta(days=5)
    paid(
        row, base_expire_at=extended, target_expire_at=extended + MONTH,
        state="applied", applied_at=clock.now(),
    )  # fmt: skip
    panel().user_update(row.panel_id or 0, expire_at=extended + MONTH)
    with clock.shift(LATER):
        again = control.bulk_retry_failed(operation_id=unsure.pk, by=None)
        drain()
    assert counts(again) == ("done", 1, 1, 0, 0)
    assert panel().user(row.panel_id or 0).expire_at == extended + MONTH


def test_trying_again_days_later_begins_then_for_whoever_is_over(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    (row,) = mirror(1, expires_from_s=-864_000.0, expires_to_s=-86_400.0)
    panel_on.panel.fault(
        method="users.update", kind="status", status=500, times=1,
        body={"timestamp": "", "path": "", "message": "Update user error", "errorCode": "A039"},
    )  # fmt: skip
    operation = start(BulkKind.EXTEND, [row], days=5)
    drain()
    assert fates(operation) == [("failed", "refused")]
    with clock.shift(timedelta(days=3)):
        now = clock.now()
        again = control.bulk_retry_failed(operation_id=operation.pk, by=None)
        drain()
    assert counts(again) == ("done", 1, 1, 0, 0)
    assert panel().user(row.panel_id or 0).expire_at >= now + timedelta(days=5)


@pytest.mark.parametrize("kind", list(BulkKind)[:5])
def test_nobody_is_changed_under_a_number_that_is_another_persons_now(
    mirror: Mirror, panel_on: Sandbox, kind: BulkKind
) -> None:
    """business.md F10 and F12: a panel that was restored from a backup gives numbers anew."""
    ours, other = mirror(2, disabled_share=float(kind is BulkKind.ENABLE), **ALIVE)
    number = other.panel_id
    other.delete()
    Subscriber.objects.filter(pk=ours.pk).update(panel_id=number)
    before = panel().user(number or 0)
    operation = start(kind, [ours], **({"days": 5} if kind is BulkKind.EXTEND else {}))
    drain()
    assert fates(operation) == [("skipped", "other_person")]
    assert panel_on.panel.writes() == []
    assert panel().user(number or 0) == before


def test_taking_back_cuts_nobody_who_has_paid_since(mirror: Mirror) -> None:
    rows = mirror(2, disabled_share=1.0, **ALIVE)
    operation = start(BulkKind.ENABLE, rows)
    drain()
    assert counts(operation) == ("done", 2, 2, 0, 0)
    activation = paid(rows[0])
    activation_run(activation.pk, is_last=True)
    undo = control.bulk_undo(operation_id=operation.pk, by=None)
    drain()
    assert fates(undo) == [("skipped", "changed_since"), ("done", "")]
    assert [status_of(row) for row in rows] == [PanelStatus.ACTIVE, PanelStatus.DISABLED]


def test_taking_back_leaves_whom_an_operator_had_disabled_to_the_operator(mirror: Mirror) -> None:
    (row,) = mirror(1, disabled_share=1.0, **ALIVE)
    Subscriber.objects.update(cut_by="operator", cut_reason="chargeback")
    operation = start(BulkKind.ENABLE, [row])
    drain()
    control.bulk_undo(operation_id=operation.pk, by=None)
    drain()
    row.refresh_from_db()
    assert (row.status, row.cut_by, row.cut_reason) == ("DISABLED", "operator", "chargeback")
    # So paying asks a person, as it did before.
    activation = paid(row)
    activation_run(activation.pk, is_last=True)
    activation.refresh_from_db()
    assert (activation.state, status_of(row)) == ("held", PanelStatus.DISABLED)


def test_taking_back_an_older_operation_leaves_alone_whom_a_later_one_disabled(
    mirror: Mirror,
) -> None:
    rows = mirror(2, **ALIVE)
    first = start(BulkKind.DISABLE, rows)
    drain()
    start(BulkKind.ENABLE, rows[:1])
    drain()
    start(BulkKind.DISABLE, rows[:1], reason="fraud")
    drain()
    undo = control.bulk_undo(operation_id=first.pk, by=None)
    drain()
    assert counts(undo) == ("done", 1, 1, 0, 0)
    assert [status_of(row) for row in rows] == [PanelStatus.DISABLED, PanelStatus.ACTIVE]


def line_of(row: Subscriber, days: int) -> BulkOperation:
    until = (row.expire_at + timedelta(days=days)).isoformat()
    text = f"username,expires\n{row.username},{until}\n"
    begun = import_start(io.BytesIO(text.encode()), source="csv", name="list.csv", by=None)
    assert begun.operation is not None
    return begun.operation


def test_a_payment_while_a_line_is_imported_keeps_its_days(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line was read before the payment, and is written after it."""
    (row,) = mirror(1, **ALIVE)
    activation = paid(row)
    monkeypatch.setattr(turns, "PATIENCE", timedelta(0))
    real = importing._missing

    def amid(*given: Any) -> Any:
        fields = real(*given)
        activation_run(activation.pk, is_last=False)
        return fields

    monkeypatch.setattr(importing, "_missing", amid)
    operation = line_of(row, 10)
    drain()
    monkeypatch.undo()
    assert counts(operation)[:3] == ("done", 1, 1)
    activation_run(activation.pk, is_last=True)
    activation.refresh_from_db()
    assert activation.state == "applied"
    assert panel().user(row.panel_id or 0).expire_at >= row.expire_at + MONTH


def test_a_payment_while_its_subscriber_is_extended_keeps_its_days(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The date was read before the payment, and is written after it."""
    (row,) = mirror(1, **ALIVE)
    activation = paid(row)
    operation = start(BulkKind.EXTEND, [row], days=5)
    monkeypatch.setattr(turns, "PATIENCE", timedelta(0))
    amid: list[object] = []

    def strike(point: str) -> None:
        if point == "bulk.intended":
            amid.append(activation_run(activation.pk, is_last=False))

    monkeypatch.setattr(extending, "fault", strike)
    drain()
    monkeypatch.undo()
    assert counts(operation)[:3] == ("done", 1, 1)
    assert [type(outcome) for outcome in amid] == [Snooze]
    activation_run(activation.pk, is_last=True)
    activation.refresh_from_db()
    assert activation.state == "applied"
    assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=5) + MONTH


def test_an_import_waits_for_a_person_who_changes_the_same_subscriber(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", timedelta(0))
    (row,) = mirror(1, **ALIVE)
    operation = line_of(row, 10)
    with turns.turn(row.pk):
        job_perform("subscriptions.bulk_walk", operation_id=operation.pk, walker=1)
        assert panel_on.panel.writes() == []
    assert list(BulkItem.objects.values_list("state", flat=True)) == ["running"]
    drain()
    assert counts(operation) == ("done", 1, 1, 0, 0)
