"""The scenarios of the source for bulk operations (section 6, capability 9), at their size."""

import re
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.testing import drain
from lib import clock
from notifications.telegram.models import QueuedMessage
from subscriptions.bulk import control, flight, writing
from subscriptions.bulk.starting import bulk_start
from subscriptions.mirror.owners import columns_of
from subscriptions.models import BulkItem, BulkKind, BulkOperation, Subscriber
from subscriptions.panel.door import panel
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror
from tests.subscriptions.bulk.test_walk import ALIVE, counts, start

PEOPLE, BAD = 500, 10


@pytest.fixture(params=["redis", "without redis"])
def redis_or_not(request: pytest.FixtureRequest) -> None:
    """Progress, places at the panel and rates are rows: whether Redis is there makes no difference."""
    if request.param == "without redis":
        request.getfixturevalue("redis_away")


def people(panel_on: Sandbox) -> list[Subscriber]:
    """As the mirror has them, by one request."""
    found = panel().users_by_ids(panel_on.panel.seed(PEOPLE, **ALIVE))
    made = [Subscriber(**columns_of(user)) for user in found.values() if user is not None]
    return Subscriber.objects.bulk_create(made)


def test_five_hundred_are_disabled_in_packs_of_fifty_and_ten_of_them_fail(
    panel_on: Sandbox,
    transactional_db: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    redis_or_not: None,
) -> None:
    settings.PANEL_RATE = "10000/s"
    rows = people(panel_on)
    bad = rows[:BAD]
    panel_on.panel.settings(bulk_delay_s=0, bulk_fail_ids=[row.panel_id for row in bad])
    for row in bad:
        panel_on.panel.fault(
            method="users.disable", user_id=row.panel_id, kind="status", status=500,
            body={"timestamp": "", "path": "", "message": "Disable failed", "errorCode": "A087"},
        )  # fmt: skip
    told: list[int] = []

    def written(point: str) -> None:
        if point == "bulk.written":
            now = BulkOperation.objects.get()
            told.append(now.done + now.failed + now.skipped)

    monkeypatch.setattr(writing, "fault", written)
    monkeypatch.setattr(flight, "CONFIRM_S", 0.5)  # for those that the panel swallows
    names = [row.username for row in rows]
    operation = bulk_start(
        kind=BulkKind.DISABLE, params={}, selection={"usernames": names + names[:7]},
        source="api", by=None, tell_telegram_id=77,
    )  # fmt: skip
    drain()
    assert counts(operation) == ("done", PEOPLE, PEOPLE - BAD, BAD, 0)
    assert told == [50 * pack for pack in range(1, 11)]
    failed = BulkItem.objects.filter(operation=operation, state="failed")
    assert set(failed.values_list("given", flat=True)) == {row.username for row in bad}
    assert Subscriber.objects.filter(status="DISABLED", cut_by="bulk").count() == PEOPLE - BAD
    message = QueuedMessage.objects.get(telegram_id=77).message
    assert all(number in re.sub(r"<[^>]+>", "", message) for number in ("500", "490", "10"))
    assert all(row.username in message for row in bad)


@pytest.mark.parametrize("kind", [BulkKind.DISABLE, BulkKind.EXTEND])
def test_a_pause_amid_the_walk_begins_no_further_pack(
    mirror: Mirror,
    panel_on: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    kind: BulkKind,
) -> None:
    settings.BULK_BATCH_SIZE = settings.BULK_WALKERS = 1
    monkeypatch.setattr(flight, "PACKS_AHEAD", 1)
    operation = start(kind, mirror(3, **ALIVE), **({"days": 5} if kind is BulkKind.EXTEND else {}))

    def written(point: str) -> None:
        if point == "bulk.written" and BulkOperation.objects.get().done == 1:
            control.bulk_pause(operation_id=operation.pk, by=None)

    monkeypatch.setattr(writing, "fault", written)
    drain()
    assert counts(operation) == ("paused", 3, 1, 0, 0)
    assert len(panel_on.panel.writes()) == 1
    control.bulk_resume(operation_id=operation.pk, by=None)
    drain()
    assert counts(operation) == ("done", 3, 3, 0, 0)


def test_what_was_asked_for_before_a_pause_is_read_back_and_counted(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.BULK_BATCH_SIZE = settings.BULK_WALKERS = 1
    operation = start(BulkKind.DISABLE, mirror(5, **ALIVE))
    asked: list[str] = []

    def strike(point: str) -> None:
        asked.extend([point] if point == "bulk.asked" else [])
        if len(asked) == 3:
            control.bulk_pause(operation_id=operation.pk, by=None)

    monkeypatch.setattr(flight, "fault", strike)
    drain()
    assert counts(operation) == ("paused", 5, 3, 0, 0)
    assert len(panel_on.panel.writes()) == 3


def test_who_was_asked_for_when_the_panel_went_away_is_found_changed_afterwards(
    mirror: Mirror, panel_on: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.BULK_BATCH_SIZE, settings.BULK_WALKERS = 2, 1
    operation = start(BulkKind.DISABLE, mirror(6, **ALIVE))
    asked: list[str] = []

    def strike(point: str) -> None:
        asked.extend([point] if point == "bulk.asked" else [])
        if len(asked) == 2:
            panel_on.panel.fault(kind="status", status=503)

    monkeypatch.setattr(flight, "fault", strike)
    drain()
    monkeypatch.undo()
    assert counts(operation) == ("running", 6, 0, 0, 0)
    panel_on.panel.clear_faults()
    with clock.shift(timedelta(minutes=10)):
        drain()
    assert counts(operation) == ("done", 6, 6, 0, 0)
    named = [number for write in panel_on.panel.writes() for number in write["user_ids"]]
    assert len(named) == len(set(named)) == 6  # nobody was asked for twice
