"""Bulk operations on the sandbox panel: who is changed, who is left alone, and what is found again."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry
from jobs.operations import job_cancel
from jobs.testing import drain, job_perform, jobs_of
from lib import clock
from notifications.telegram.models import QueuedMessage
from subscriptions.bulk import flight, walking
from subscriptions.bulk.starting import bulk_start
from subscriptions.models import (
    BulkItem,
    BulkKind,
    BulkOperation,
    Subscriber,
    SubscriberEvent,
)
from subscriptions.panel.door import panel
from subscriptions.panel.types import PanelStatus
from tests.panels import TOKEN
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror

ALIVE = {"expires_from_s": 86_400.0, "expires_to_s": 864_000.0}


def start(kind: BulkKind, rows: list[Subscriber], **params: Any) -> BulkOperation:
    return bulk_start(
        kind=kind,
        params=params,
        selection={"subscriber_ids": [row.pk for row in rows]},
        source="api",
        by=None,
    )


def counts(operation: BulkOperation) -> tuple[str, int, int, int, int]:
    operation.refresh_from_db()
    row = operation
    return row.state, row.total, row.done, row.failed, row.skipped


def fates(operation: BulkOperation) -> list[tuple[str, str]]:
    return list(
        BulkItem.objects.filter(operation=operation).order_by("pk").values_list("state", "reason")
    )


def test_all_of_a_list_are_disabled_in_packs(mirror: Mirror, settings: Settings) -> None:
    settings.BULK_BATCH_SIZE = 3
    rows = mirror(7, **ALIVE)
    operation = start(BulkKind.DISABLE, rows, reason="chargeback")
    drain()
    assert counts(operation) == ("done", 7, 7, 0, 0)
    for row in rows:
        assert panel().user(row.panel_id or 0).status is PanelStatus.DISABLED
        row.refresh_from_db()
        assert (row.status, row.cut_by, row.cut_reason) == ("DISABLED", "bulk", "chargeback")
        event = SubscriberEvent.objects.get(subscriber=row)
        assert (event.kind, event.source) == ("disabled", "bulk")
    assert AuditEntry.objects.filter(action="subscriptions.bulk_disable").count() == 1


def test_those_who_need_nothing_are_left_alone_with_a_reason(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    rows = mirror(4, **ALIVE)
    off, over, gone, live = rows
    panel_on.panel.operator(off.panel_id or 0, "disable")  # the mirror does not know yet
    panel_on.panel.change(over.panel_id or 0, status="EXPIRED")
    panel_on.panel.operator(gone.panel_id or 0, "delete")
    operation = start(BulkKind.DISABLE, rows)
    drain()
    assert fates(operation) == [
        ("skipped", "already_disabled"),
        ("skipped", "not_served"),
        ("skipped", "missing"),
        ("done", ""),
    ]
    written = panel_on.panel.writes()
    assert [write["user_ids"] for write in written] == [[live.panel_id]]
    off.refresh_from_db()
    assert off.cut_by == ""  # it was not we who switched that one off


def test_the_panel_is_asked_for_the_next_pack_before_it_shows_the_last(
    mirror: Mirror, panel_on: Sandbox, settings: Settings
) -> None:
    settings.BULK_BATCH_SIZE, settings.BULK_WALKERS = 2, 1
    panel_on.panel.settings(bulk_delay_s=1.0)
    rows = mirror(6, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    drain()
    assert counts(operation) == ("done", 6, 6, 0, 0)
    asked = [
        each["path"].split("?")[0].rsplit("/api/")[-1] for each in reversed(panel_on.requests())
    ]
    packs = [place for place, path in enumerate(asked) if path == "users/bulk/update"]
    # Look at a pack and ask for it, three times; only then are they read back.
    assert [asked[place - 1] for place in packs] == ["users/stream"] * 3
    assert [place - packs[0] for place in packs] == [0, 2, 4]


def test_what_the_panel_swallowed_is_asked_for_alone(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "CONFIRM_S", 1.0)  # the panel has done the others long since
    rows = mirror(5, **ALIVE)
    panel_on.panel.settings(bulk_fail_ids=[rows[2].panel_id])
    operation = start(BulkKind.DISABLE, rows)
    drain()
    assert counts(operation) == ("done", 5, 5, 0, 0)
    assert [write["user_ids"] for write in panel_on.panel.writes(call="users.disable")] == [
        [rows[2].panel_id]
    ]


def test_a_refusal_is_the_fate_of_one_and_the_others_go_on(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    rows = mirror(3, **ALIVE)
    panel_on.panel.fault(
        method="users.update", user_id=rows[1].panel_id, kind="status", status=500,
        body={"timestamp": "", "path": "", "message": "Update user error", "errorCode": "A039"},
    )  # fmt: skip
    operation = start(BulkKind.EXTEND, rows, days=1)
    drain()
    assert counts(operation) == ("done", 3, 2, 1, 0)
    assert fates(operation)[1] == ("failed", "refused")
    assert "A039" in BulkItem.objects.get(operation=operation, state="failed").detail


def test_while_the_panel_is_away_nobody_is_judged(mirror: Mirror, panel_on: Sandbox) -> None:
    rows = mirror(3, **ALIVE)
    panel_on.panel.fault(kind="status", status=503)
    operation = start(BulkKind.DISABLE, rows)
    drain()
    state, total, done, failed, skipped = counts(operation)
    assert (state, total, done, failed, skipped) == ("running", 3, 0, 0, 0)
    panel_on.panel.clear_faults()
    with clock.shift(timedelta(minutes=10)):
        drain()
    assert counts(operation) == ("done", 3, 3, 0, 0)


def test_a_panel_that_refuses_our_token_pauses_the_operation(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    rows = mirror(2, **ALIVE)
    panel_on.panel.token(TOKEN, "unknown")
    operation = start(BulkKind.DISABLE, rows)
    drain()
    assert counts(operation)[:3] == ("paused", 2, 0)


def test_a_traffic_reset_is_read_back(mirror: Mirror, panel_on: Sandbox) -> None:
    rows = mirror(2, **ALIVE)
    for row in rows:
        panel_on.panel.change(row.panel_id or 0, usedTrafficBytes=5000)
    operation = start(BulkKind.RESET_TRAFFIC, rows)
    drain()
    assert counts(operation) == ("done", 2, 2, 0, 0)
    assert {panel().user(row.panel_id or 0).used_bytes for row in rows} == {0}


def test_the_deleted_are_gone_and_stay_in_our_story(mirror: Mirror) -> None:
    rows = mirror(2, **ALIVE)
    operation = start(BulkKind.DELETE, rows)
    drain()
    assert counts(operation) == ("done", 2, 2, 0, 0)
    assert Subscriber.objects.filter(missing_since=None).count() == 0
    assert SubscriberEvent.objects.filter(kind="deleted").count() == 2


def test_an_empty_list_is_done_at_once_and_told(transactional_db: None) -> None:
    operation = bulk_start(
        kind=BulkKind.DISABLE, params={}, selection={"usernames": []}, source="api", by=None,
        tell_telegram_id=77,
    )  # fmt: skip
    assert counts(operation) == ("done", 0, 0, 0, 0)
    assert QueuedMessage.objects.get(telegram_id=77).notification_type == "bulk_finished"


def test_duplicates_are_dropped_and_strangers_are_named(mirror: Mirror) -> None:
    (row,) = mirror(1, **ALIVE)
    operation = bulk_start(
        kind=BulkKind.DISABLE,
        params={},
        selection={"usernames": [row.username, "nobody", row.username, "nobody"]},
        source="api",
        by=None,
    )
    drain()
    assert counts(operation) == ("done", 2, 1, 0, 1)
    assert sorted(fates(operation)) == [("done", ""), ("skipped", "unknown")]


def test_a_filter_chooses_its_people_when_the_job_runs(mirror: Mirror) -> None:
    rows = mirror(4, **ALIVE)
    operation = bulk_start(
        kind=BulkKind.EXTEND,
        params={"days": 2},
        selection={"filter": {"tag": ["PRO"], "status": ["ACTIVE"]}},
        source="api",
        by=None,
    )
    assert counts(operation)[:2] == ("waiting", 0)
    drain()
    assert counts(operation) == ("done", 2, 2, 0, 0)
    assert {row.tag for row in rows} == {"BASIC", "PRO"}


@pytest.mark.parametrize("walker", [0, 1, 4])
def test_what_a_killed_walker_held_is_finished_by_the_watch(
    mirror: Mirror, settings: Settings, walker: int
) -> None:
    rows = mirror(2, **ALIVE)
    operation = start(BulkKind.DISABLE, rows)
    for job in jobs_of("subscriptions.bulk_walk"):
        job_cancel(job_id=job.pk, by=None)
    BulkItem.objects.filter(operation=operation).update(state="running", walker=walker)
    job_perform("subscriptions.watch_bulk")
    drain()
    assert counts(operation) == ("done", 2, 2, 0, 0)


def test_what_a_walker_held_whose_job_is_dead_is_finished_when_another_ends(
    mirror: Mirror, settings: Settings
) -> None:
    settings.BULK_BATCH_SIZE, settings.BULK_WALKERS = 1, 2
    operation = start(BulkKind.DISABLE, mirror(4, **ALIVE))
    _, second = jobs_of("subscriptions.bulk_walk")
    BulkItem.objects.filter(operation=operation, pk__in=numbers(operation)[:2]).update(
        state="running", walker=second.args["walker"]
    )
    job_cancel(job_id=second.pk, by=None)
    drain()
    assert counts(operation) == ("done", 4, 4, 0, 0)


def numbers(operation: BulkOperation) -> list[int]:
    return list(
        BulkItem.objects.filter(operation=operation).order_by("pk").values_list("pk", flat=True)
    )


def test_what_cannot_land_in_a_turn_is_finished_in_the_next_ones(
    mirror: Mirror, panel_on: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BULK_BATCH_SIZE, settings.BULK_WALKERS = 1, 1
    monkeypatch.setattr(flight, "CONFIRM_S", 0.0)
    rows = mirror(3, **ALIVE)
    panel_on.panel.settings(bulk_fail_ids=[row.panel_id for row in rows])
    operation = start(BulkKind.DISABLE, rows)
    with monkeypatch.context() as patched:
        patched.setattr(walking, "LANDING_S", -walking.TURN_S)
        job_perform("subscriptions.bulk_walk", operation_id=operation.pk, walker=1)
    assert (counts(operation), fates(operation)) == (
        ("running", 3, 0, 0, 0),
        [("running", "")] * 3,
    )
    drain()
    assert counts(operation) == ("done", 3, 3, 0, 0)
