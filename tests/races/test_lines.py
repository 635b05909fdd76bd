"""A line that somebody enters while its head leaves goes on."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from jobs.lines import lines_wake
from jobs.operations import job_cancel
from jobs.registry import JobKind
from tests.jobs import play
from tests.races.parties import parties, without

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])
KEY = "chat:5"


def _enter(kind: JobKind[Any], n: int) -> UUID:
    made: UUID = kind.enqueue(n=n, partition=KEY).id
    return made


@BOTH
def test_an_enqueue_in_an_open_transaction_is_not_stranded_when_the_head_ends(
    kind: JobKind[Any], is_locked: bool
) -> None:
    _enter(kind, 1)
    head = play.lease_one()
    bare = without("jobs_line_enter", "PERFORM pg_advisory_xact_lock(748201, v_lock);", instead="")
    with nullcontext() if is_locked else bare, parties() as begin:
        entering = begin(lambda: _enter(kind, 2)).wait()  # sees the head, so it waits behind it
        play.finish(head)  # does not see who is entering
        entering.commit()
    lines_wake()
    # The control stands behind nobody, for ever: if it does not, this test is blind.
    assert play.line(KEY) == [(2, "available", not is_locked)]


@BOTH
def test_the_order_within_a_key_is_the_order_of_commits(
    kind: JobKind[Any], is_locked: bool
) -> None:
    bare = without("jobs_line_enter", "PERFORM pg_advisory_xact_lock(748201, v_lock);", instead="")
    with nullcontext() if is_locked else bare, parties() as begin:
        first = begin(lambda: _enter(kind, 1)).wait()
        second = begin(lambda: _enter(kind, 2)).wait_blocked()
        if is_locked:
            first.commit()
            second.commit()
            assert play.line(KEY) == [(1, "available", False), (2, "available", True)]
        else:
            second.commit()
            first.commit()
            assert [blocked for _, _, blocked in play.line(KEY)] == [False, False]  # two heads


@BOTH
def test_a_note_is_not_taken_away_before_its_writer_has_committed(
    kind: JobKind[Any], is_locked: bool
) -> None:
    """Two leave a line that a third one is entering, and somebody settles it in between."""
    _enter(kind, 1)
    head = play.lease_one()
    _enter(kind, 2)
    behind = _enter(kind, 3)
    bare = without(
        "jobs_line_leave",
        "DO UPDATE SET created_at = clock_timestamp()",
        instead="DO NOTHING",
    )
    with nullcontext() if is_locked else bare, parties() as begin:
        entering = begin(lambda: _enter(kind, 4)).wait()
        cancelling = begin(lambda: job_cancel(job_id=behind, by=None)).wait()  # leaves a note
        ending = begin(lambda: play.finish(head)).wait_blocked()  # finds that note uncommitted
        cancelling.commit()
        ending.wait()
        entering.commit()
        lines_wake()
        ending.commit()
    lines_wake()
    blocked = [blocked for _, _, blocked in play.line(KEY)]
    assert blocked == ([False, True] if is_locked else [True, True])


def test_a_settled_line_waits_for_nobody(kind: JobKind[Any]) -> None:
    _enter(kind, 1)
    head = play.lease_one()
    with parties() as begin:
        entering = begin(lambda: _enter(kind, 2)).wait()
        with transaction.atomic():
            assert play.finish(head) == {head.id}  # at once, though the line is held
        assert lines_wake() == 1
        entering.commit()
    assert lines_wake() == 0
    assert play.line(KEY) == [(2, "available", False)]
