"""Two people at once, each with the control that shows what the lock is for."""

from typing import Any

import pytest
from django.db.models import QuerySet

from jobs import sql
from notifications.webhooks.deliveries import deliveries_replay
from notifications.webhooks.endpoints import endpoint_rotate_secret
from notifications.webhooks.errors import RotationUnfinished
from notifications.webhooks.models import Delivery, Endpoint
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make
from tests.races.parties import parties

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
