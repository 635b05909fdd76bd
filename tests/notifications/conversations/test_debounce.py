"""Timers begun anew: the cases of the source's section 2.4, on the platform's debounce."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.ending import leases_release
from jobs.lease import jobs_lease
from jobs.models import Job, JobHistory
from lib import clock
from notifications.conversations.timers import timer_key
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    KIND,
    after,
    counted,
    dialog,
    events,
    fates,
    person,
    read,
    ring,
    say,
    timers,
)

pytestmark = pytest.mark.usefixtures("endpoint")


def jobs() -> list[Job]:
    return list(Job.objects.filter(kind=KIND).order_by("seq"))


def test_first_job_executes() -> None:
    each = dialog()
    say(each, "Hello")
    assert timers() == {BORIS: "Hello"}

    assert ring() == 1

    assert fates() == [(BORIS, "Hello", "sent")]
    assert jobs() == []  # its key is free again
    assert person(each).pending_position is None


def test_second_job_replaces_first() -> None:
    each = dialog()
    say(each, "one")
    [first] = jobs()
    with after(seconds=20):
        say(each, "two")

    [second] = jobs()

    assert second.pk == first.pk
    assert second.run_at - first.run_at >= timedelta(seconds=20)
    assert timers() == {BORIS: "two"}
    assert counted() == {"debounced": 1}
    assert ring(seconds=31) == 0  # the time of the first is over, and it says nothing


def test_stale_job_skipped() -> None:
    each = dialog()
    say(each, "one")
    with after(seconds=31):
        # A worker has the first in its hands when the second begins a timer of its own.
        held = jobs_lease(queues=["notifications"], limit=10, worker="w1")
        say(each, "two")
        assert len(jobs()) == 2
        leases_release(held)
        assert ring(seconds=0) == 1
        assert (events(), fates()) == (0, [])
        assert counted() == {"debounced": 1}
    assert ring(seconds=62) == 1
    assert fates() == [(BORIS, "two", "sent")]


def test_current_job_executes_after_replacement() -> None:
    each = dialog()
    say(each, "one")
    with after(seconds=10):
        say(each, "two")

    assert ring(seconds=41) == 1

    assert fates() == [(BORIS, "two", "sent")]
    assert events() == 1


def test_debounce_key_ttl(settings: Settings) -> None:
    """The key is held from the first message until its timer rings, and not beyond the longest wait."""
    each = dialog()
    began = clock.now()
    say(each)
    [job] = jobs()
    assert job.debounce_key == f"{KIND}:{timer_key(each, BORIS)}"
    assert timedelta(0) <= job.run_at - began - settings.NOTIFICATION_DELAY < timedelta(seconds=5)
    for seconds in range(20, 300, 20):
        with after(seconds=seconds):
            say(each, str(seconds))
    [job] = jobs()
    assert job.first_enqueued_at is not None
    assert job.run_at == job.first_enqueued_at + settings.NOTIFICATION_MAX_WAIT
    assert ring(seconds=301) == 1
    assert JobHistory.objects.get(kind=KIND).debounced == 14
    with after(seconds=302):
        say(each, "later")  # the key is free: a timer of its own
    assert jobs()[0].pk != job.pk


def test_different_keys_independent() -> None:
    first, second = dialog(ANNA, BORIS, CLARA), dialog(ANNA, BORIS)
    say(first, "a")
    with after(seconds=20):
        say(second, "b")
        read(first, CLARA)

    assert len(jobs()) == 3
    assert ring(seconds=31) == 2
    assert sorted(fates()) == [(BORIS, "a", "sent"), (CLARA, "a", "read")]
    assert ring(seconds=51) == 1
    assert fates()[-1] == (BORIS, "b", "sent")
    assert "debounced" not in counted()


def test_a_dialog_that_never_rests_is_told_of_all_the_same() -> None:
    """Although each ring finds a later message with a timer of its own."""
    each = dialog()
    say(each, "one")
    for n in range(1, 30):
        with after(seconds=11 * n):
            say(each, str(n))
            if ring(seconds=0):
                break
    assert [fate for *_, fate in fates()] == ["sent"]


def test_one_that_waited_too_long_tells_though_another_has_begun() -> None:
    each = dialog()
    say(each, "one")
    with after(seconds=301):
        held = jobs_lease(queues=["notifications"], limit=10, worker="w1")
        say(each, "two")
        leases_release(held)
        assert ring(seconds=0) == 1
        assert fates() == [(BORIS, "one", "sent")]
    assert ring(seconds=340) == 1
    assert fates()[1:] == [(BORIS, "two", "sent")]


def test_a_read_ends_the_wait_and_the_next_message_begins_it_anew() -> None:
    each = dialog()
    say(each, "one")
    read(each)
    assert person(each).pending_since is None
    with after(seconds=10):
        say(each, "two")
    assert ring(seconds=41) == 1
    assert fates() == [(BORIS, "two", "sent")]


def test_a_site_that_sends_none_begins_no_timer(settings: Settings) -> None:
    settings.NOTIFICATION_ENABLED = False
    each = dialog()
    say(each)
    assert (jobs(), person(each).unread, person(each).pending_position) == ([], 1, None)
