"""A filter that finds more people than were meant when somebody agreed waits for a person."""

import pytest

from jobs.testing import drain
from subscriptions.bulk import control
from subscriptions.bulk.progress import bulk_progress
from subscriptions.bulk.starting import bulk_start
from subscriptions.models import BulkKind, BulkOperation
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.bulk.conftest import Mirror
from tests.subscriptions.bulk.test_walk import ALIVE, counts


def order(meant: int | None) -> BulkOperation:
    return bulk_start(
        kind=BulkKind.DISABLE,
        params={},
        selection={"filter": {"status": ["ACTIVE"]}},
        source="api",
        by=None,
        meant=meant,
    )


def test_nobody_is_touched_if_more_are_found_than_were_meant(
    mirror: Mirror, panel_on: Sandbox
) -> None:
    operation = order(meant=2)
    mirror(8, **ALIVE)  # between the order and its job
    drain()
    assert (counts(operation), panel_on.panel.writes()) == (("paused", 8, 0, 0, 0), [])
    shown = bulk_progress(operation.pk)
    assert shown is not None
    assert "2 were meant when it was ordered, 8 are found now. Nobody was changed" in shown.note
    control.bulk_resume(operation_id=operation.pk, by=None)
    drain()
    assert counts(operation) == ("done", 8, 8, 0, 0)
    assert operation.pause_reason == ""


def test_who_sees_that_it_is_too_many_cancels(mirror: Mirror, panel_on: Sandbox) -> None:
    operation = order(meant=2)
    mirror(8, **ALIVE)
    drain()
    control.bulk_cancel(operation_id=operation.pk, by=None)
    drain()
    assert (counts(operation), panel_on.panel.writes()) == (("cancelled", 8, 0, 0, 8), [])


@pytest.mark.parametrize("meant", [None, 3, 8, 100])
def test_a_set_may_move_a_little_and_shrink(mirror: Mirror, meant: int | None) -> None:
    operation = order(meant)
    mirror(8, **ALIVE)
    drain()
    assert counts(operation) == ("done", 8, 8, 0, 0)
