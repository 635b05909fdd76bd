"""Atomic kinds: their rows are committed with their outcome, or not at all."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from jobs.errors import LeaseLost
from jobs.ladders import Delays
from jobs.lease import leases_reap
from jobs.models import AuditEntry, Job
from jobs.outcomes import Cancel, Dead, Outcome, Retry, Snooze
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work
from tests.races.together import in_thread


def _leave(name: str = "trace") -> None:
    User.objects.create(username=name)


def test_its_rows_are_there_when_it_is_completed(declare: Declare, work: Work) -> None:
    made = declare(_leave, atomic=True).enqueue().id
    work()
    assert play.state(made) == "completed"
    assert User.objects.filter(username="trace").exists()


def test_a_failed_attempt_leaves_no_rows(declare: Declare, work: Work) -> None:
    def act() -> None:
        _leave()
        raise ValueError("after the row")

    made = declare(act, atomic=True, retry=Delays("1m")).enqueue().id
    work()
    assert (play.state(made), User.objects.exists()) == ("scheduled", False)
    assert "after the row" in (play.job(made).last_error or "")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Retry("no"), "scheduled"), (Snooze(timedelta(minutes=1)), "scheduled"),
        (Cancel("no"), "cancelled"), (Dead("no"), "dead"),
    ],
)  # fmt: skip
def test_whatever_is_not_done_leaves_no_rows(
    declare: Declare, work: Work, outcome: Outcome, state: str
) -> None:
    def act() -> Outcome:
        _leave()
        return outcome

    made = declare(act, atomic=True, retry=Delays("1m")).enqueue().id
    work()
    assert (play.state(made), User.objects.exists()) == (state, False)


def test_a_result_that_is_not_json_leaves_no_rows(declare: Declare, work: Work) -> None:
    def act() -> object:
        _leave()
        return object()

    made = declare(act, atomic=True).enqueue().id
    work()
    assert (play.state(made), User.objects.exists()) == ("dead", False)


def _lose_the_lease() -> None:
    """What happens to a worker that was stopped for too long."""
    (row,) = Job.objects.filter(state="running")
    Job.objects.filter(pk=row.pk).update(lease_until=clock.now() - timedelta(hours=1))
    leases_reap()


def test_who_lost_the_lease_commits_nothing(committed: None, declare: Declare, work: Work) -> None:
    """The rival takes the job away on a connection of its own, while the first one is in its transaction."""

    def act() -> None:
        _leave()
        if not User.objects.filter(username="rival").exists():
            in_thread(_lose_the_lease)
            in_thread(lambda: _leave("rival"))

    made = declare(act, atomic=True).enqueue().id
    work(turns=1)
    assert [user.username for user in User.objects.all()] == ["rival"]
    assert play.job(made).crash_count == 1
    work()
    assert play.state(made) == "completed"
    assert User.objects.filter(username="trace").count() == 1


def test_what_it_enqueues_is_part_of_it(declare: Declare, work: Work) -> None:
    child = declare(name="tests.child", queue="external")

    def act() -> None:
        child.enqueue()
        raise ValueError("no")

    declare(act, atomic=True).enqueue()
    work()
    assert not Job.objects.filter(kind="tests.child").exists()


def test_a_constraint_that_is_checked_at_commit_fails_the_attempt(
    committed: None, declare: Declare, work: Work
) -> None:
    """Foreign keys of Django are deferred: the function returns, and COMMIT raises."""

    def act() -> None:
        AuditEntry.objects.create(account_id=999_999)

    made = declare(act, atomic=True, retry=Delays("1m")).enqueue().id
    other = declare(name="tests.other").enqueue().id
    work()
    row = play.job(made)
    assert (row.state, row.crash_count) == ("scheduled", 0)
    assert "IntegrityError" in (row.last_error or "")
    assert play.state(other) == "completed"
    assert not AuditEntry.objects.exists()


def test_a_broken_transaction_fails_the_attempt(declare: Declare, work: Work) -> None:
    """Whoever swallows a database error without a savepoint has broken the transaction."""

    def act() -> None:
        _leave()
        with suppress(IntegrityError):
            _leave()

    made = declare(act, atomic=True, retry=Delays("1m")).enqueue().id
    other = declare(name="tests.other").enqueue().id
    work()
    assert (play.state(made), play.job(made).crash_count) == ("scheduled", 0)
    assert (play.state(other), User.objects.exists()) == ("completed", False)


def test_a_savepoint_inside_may_fail(declare: Declare, work: Work) -> None:
    def act() -> None:
        _leave()
        try:
            with transaction.atomic():
                _leave()
        except IntegrityError:
            _leave("other")

    made = declare(act, atomic=True).enqueue().id
    work()
    assert (play.state(made), User.objects.count()) == ("completed", 2)


def test_an_interrupt_leaves_no_rows(declare: Declare, work: Work) -> None:
    def act() -> None:
        _leave()
        raise LeaseLost

    made = declare(act, atomic=True).enqueue().id
    work(turns=1)
    assert (play.state(made), User.objects.exists()) == ("running", False)


def test_lines_keys_and_counts_are_part_of_it(declare: Declare, work: Work) -> None:
    kind = declare(_leave, atomic=True)
    for name in ("a", "b", "c"):
        kind.enqueue(name=name, partition="k", unique=name)
    work()
    assert [user.username for user in User.objects.order_by("id")] == ["a", "b", "c"]
    assert not Job.objects.exists()
