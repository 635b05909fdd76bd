"""Acks of one notification, from several devices at the same moment."""

from contextlib import nullcontext
from uuid import UUID

import pytest

from notifications.inbox.models import Notification, Stat
from notifications.inbox.reading import read_many
from notifications.inbox.shapes import ReadResult
from tests.notifications.inbox.conftest import own_threads
from tests.notifications.inbox.core.play import ALICE, give, person, read
from tests.races.parties import parties, without
from tests.races.together import run_together

__all__ = ["own_threads"]

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])
LOCK = "PERFORM inbox_lock(p_recipients);"


@BOTH
def test_of_two_acks_at_once_one_counts(is_locked: bool) -> None:
    (row,) = give()
    with nullcontext() if is_locked else without("inbox_read", LOCK), parties() as begin:
        first = begin(lambda: read(row)).wait()
        second = begin(lambda: read(row)).wait_blocked()
        results = [result.result for result in [*first.commit(), *second.commit()]]
    assert results == (["read", "already"] if is_locked else ["read", "read"])
    assert person().unread == (0 if is_locked else -1)


def test_of_many_acks_at_once_each_notification_counts_once() -> None:
    rows = give(*((n, "crowd") for n in range(20)))
    reads = [(row.recipient_id, row.pk) for row in rows]

    def ack(backwards: bool) -> list[ReadResult]:
        return read_many(reads[::-1] if backwards else reads)

    found = run_together([lambda n=n: ack(n % 2 == 0) for n in range(6)])  # type: ignore[misc]
    results: dict[UUID, list[str]] = {row.pk: [] for row in rows}
    for each in (result for results_of_one in found for result in results_of_one):
        results[each.notification_id].append(each.result)
    assert all(sorted(each) == ["already"] * 5 + ["read"] for each in results.values())
    assert sum(Stat.objects.filter(event="acked").values_list("count", flat=True)) == 20
    assert not Notification.objects.exclude(state="read").exists()


def test_acks_and_new_ones_of_the_same_people_never_wait_in_a_ring() -> None:
    crowd = [ALICE, *((n, "crowd") for n in range(30))]
    rows = give(*crowd)
    calls = [lambda: read(*rows) and None, lambda: give(*reversed(crowd)) and None]
    run_together(calls * 4)
    assert person().unread == 4
    assert all(person(target).unread == 4 for target in crowd)
