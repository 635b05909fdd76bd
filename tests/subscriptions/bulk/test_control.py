"""Pausing, cancelling, trying again and taking back."""

from datetime import timedelta
from uuid import UUID

import pytest

from jobs.testing import drain
from subscriptions.bulk import acts, control, extending, flight
from subscriptions.bulk.errors import BulkImpossible, BulkNotUndoable, BulkUnknown
from subscriptions.bulk.packs import intents_write, pack_take
from subscriptions.bulk.progress import bulk_progress
from subscriptions.models import BulkKind, ItemState, Subscriber
from subscriptions.panel.door import panel
from subscriptions.panel.types import PanelStatus
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror
from tests.subscriptions.bulk.test_walk import ALIVE, counts, fates, start


def status_of(row: Subscriber) -> PanelStatus:
    return panel().user(row.panel_id or 0).status


def test_nobody_is_taken_after_a_cancel_was_acknowledged(mirror: Mirror, panel_on: Sandbox) -> None:
    rows = mirror(3, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    held = pack_take(operation.pk, 1, 1)
    assert len(held) == 1
    control.bulk_cancel(operation_id=operation.pk, by=None)
    assert pack_take(operation.pk, 2, 10) == []
    assert counts(operation) == ("cancelled", 3, 0, 0, 2)
    drain()  # the walker that held one had not asked yet
    assert counts(operation) == ("cancelled", 3, 0, 0, 3)
    assert panel_on.panel.writes() == []
    assert operation.finished_at is not None
    control.bulk_cancel(operation_id=operation.pk, by=None)
    assert counts(operation) == ("cancelled", 3, 0, 0, 3)


def test_whom_a_killed_walker_had_asked_for_is_not_said_to_be_left_alone_by_a_cancel(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel still has the first two in its queue; the third was only about to be asked for."""
    monkeypatch.setattr(flight, "CONFIRM_S", 2.0)
    panel_on.panel.settings(bulk_delay_s=1.0)
    rows = mirror(4, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    pack = acts.Pack(BulkKind.DISABLE, {}, False, pack_take(operation.pk, 1, 3))
    acts.look(pack, panel())
    intents_write(1, [(item.pk, item.before, item.data) for item in pack.items])
    pack.settle(pack.items[2], ItemState.RUNNING)
    acts.ask(pack, panel())
    control.bulk_cancel(operation_id=operation.pk, by=None)
    drain()
    assert counts(operation) == ("cancelled", 4, 2, 0, 2)
    assert fates(operation) == [("done", "")] * 2 + [("skipped", "cancelled")] * 2
    asked = {number for write in panel_on.panel.writes() for number in write["user_ids"]}
    assert asked == {row.panel_id for row in rows[:2]}


def test_a_paused_operation_asks_nothing_until_it_is_resumed(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    rows = mirror(3, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    control.bulk_pause(operation_id=operation.pk, by=None)
    drain()
    assert (panel_on.panel.writes(), counts(operation)[0]) == ([], "paused")
    control.bulk_resume(operation_id=operation.pk, by=None)
    drain()
    assert counts(operation) == ("done", 3, 3, 0, 0)


def test_only_the_failed_are_tried_again(mirror: Mirror, panel_on: Sandbox) -> None:
    rows = mirror(3, **ALIVE)
    panel_on.panel.fault(
        method="users.update", user_id=rows[0].panel_id, kind="status", status=500,
        body={"timestamp": "", "path": "", "message": "Update user error", "errorCode": "A039"},
    )  # fmt: skip
    operation = start(BulkKind.EXTEND, rows, days=5)
    drain()
    assert counts(operation)[3] == 1
    panel_on.panel.clear_faults()
    again = control.bulk_retry_failed(operation_id=operation.pk, by=None)
    drain()
    assert counts(again) == ("done", 1, 1, 0, 0)
    for row in rows:
        assert panel().user(row.panel_id or 0).expire_at == row.expire_at + timedelta(days=5)
    with pytest.raises(BulkImpossible):
        control.bulk_retry_failed(operation_id=again.pk, by=None)


def test_a_disable_is_taken_back_for_whom_only_we_have_switched_off(mirror: Mirror) -> None:
    rows = mirror(3, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    drain()
    Subscriber.objects.filter(pk=rows[0].pk).update(cut_by="operator")
    undo = control.bulk_undo(operation_id=operation.pk, by=None)
    drain()
    assert counts(undo) == ("done", 2, 2, 0, 0)
    assert [status_of(row) for row in rows] == [
        PanelStatus.DISABLED,
        PanelStatus.ACTIVE,
        PanelStatus.ACTIVE,
    ]
    with pytest.raises(BulkNotUndoable):
        control.bulk_undo(operation_id=operation.pk, by=None)


def test_an_extension_is_taken_back_unless_somebody_moved_the_date_since(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    rows = mirror(2, **ALIVE)
    operation = start(BulkKind.EXTEND, rows, days=30)
    drain()
    panel().user_update(
        rows[0].panel_id or 0, expire_at=rows[0].expire_at + timedelta(days=400)
    )  # he paid meanwhile
    undo = control.bulk_undo(operation_id=operation.pk, by=None)
    drain()
    assert fates(undo) == [("skipped", "changed_since"), ("done", "")]
    assert panel().user(rows[0].panel_id or 0).expire_at == rows[0].expire_at + timedelta(days=400)
    assert panel().user(rows[1].panel_id or 0).expire_at == rows[1].expire_at


@pytest.mark.parametrize("kind", [BulkKind.DELETE, BulkKind.RESET_TRAFFIC])
def test_what_is_gone_cannot_be_taken_back(mirror: Mirror, kind: BulkKind) -> None:
    operation = start(kind, mirror(1, **ALIVE))
    drain()
    with pytest.raises(BulkNotUndoable):
        control.bulk_undo(operation_id=operation.pk, by=None)


def test_an_unknown_operation_is_said(transactional_db: None) -> None:
    with pytest.raises(BulkUnknown):
        control.bulk_cancel(operation_id=UUID(int=1), by=None)


def test_the_progress_page_tells_numbers_reasons_and_what_can_be_done(mirror: Mirror) -> None:
    rows = mirror(2, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    running = bulk_progress(operation.pk)
    assert running is not None
    assert (running.total, running.done, list(running.actions)) == (2, 0, ["pause", "cancel"])
    drain()
    over = bulk_progress(operation.pk)
    assert over is not None
    assert (over.done, over.percent, list(over.actions)) == (2, 100.0, ["undo"])


@pytest.mark.parametrize("kind", [BulkKind.EXTEND, BulkKind.DISABLE])
def test_what_a_walker_held_at_a_pause_is_done_when_it_goes_on(
    mirror: Mirror, panel_on: Sandbox, kind: BulkKind
) -> None:
    rows = mirror(2, **ALIVE)
    operation = start(kind, rows, **({"days": 5} if kind is BulkKind.EXTEND else {}))
    assert len(pack_take(operation.pk, 1, 2)) == 2
    control.bulk_pause(operation_id=operation.pk, by=None)
    drain()
    assert panel_on.panel.writes() == []
    control.bulk_resume(operation_id=operation.pk, by=None)
    drain()
    assert counts(operation) == ("done", 2, 2, 0, 0)


def test_a_cancel_amid_an_extension_leaves_alone_whoever_was_not_begun(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extending, "TOGETHER", 2)
    rows = mirror(5, **ALIVE)
    operation = start(BulkKind.EXTEND, rows, days=5)

    def strike(point: str) -> None:
        if point == "bulk.asked":
            control.bulk_cancel(operation_id=operation.pk, by=None)

    monkeypatch.setattr(extending, "fault", strike)
    drain()
    assert counts(operation) == ("cancelled", 5, 2, 0, 3)
    assert operation.finished_at is not None
    assert len(panel_on.panel.writes()) == 2
