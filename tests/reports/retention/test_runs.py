"""Runs: counted first, asked for, cancelled, cut off, refused; the row says what happened."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs.context import JobContext
from jobs.errors import JobCancelled, LeaseLost
from jobs.models import AuditEntry
from jobs.registry import kind_get
from jobs.testing import assert_enqueued, drain, job_perform, jobs_of
from lib.ids import uuid7
from notifications.telegram.models import QueuedMessage
from reports.retention import running
from reports.retention.errors import PolicyUnknown, RetentionBusy, RunOver
from reports.retention.models import RetentionRun, RunState
from reports.retention.policies import policies, policy_get
from reports.retention.running import retention_do
from reports.retention.services import retention_begin, retention_cancel
from reports.retention.steps import walk
from tests.reports.retention.rows import message_make, run_of

KIND = "reports.clean_notification_queue"


class Killed(BaseException):
    """The worker is gone at this point."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows in a piece."""
    monkeypatch.setattr(walk, "BATCH", 2)


def strike(monkeypatch: pytest.MonkeyPatch, at: int, act: Callable[[], Any]) -> None:
    """Do something when so many pieces are committed."""
    pieces = 0

    def fault(name: str) -> None:
        nonlocal pieces
        assert name == "retention.piece"
        pieces += 1
        if pieces == at:
            act()

    monkeypatch.setattr(running, "fault", fault)


def context_make(attempt: int = 1) -> JobContext:
    return JobContext(uuid7(), KIND, attempt, 3, attempt)


@pytest.mark.parametrize("kind", [each.kind for each in policies()])
def test_each_kind_is_a_job_that_finds_nothing_in_empty_tables(kind: str) -> None:
    assert kind_get(kind).periodic is not None
    job_perform(kind)
    run = run_of(kind)
    assert (run.state, run.rows, run.partitions, run.tables) == (RunState.DONE, 0, 0, {})


@pytest.mark.parametrize("kind", [each.kind for each in policies()])
def test_each_kind_can_be_counted(kind: str) -> None:
    job_perform(kind, dry_run=True)
    run = run_of(kind)
    assert (run.state, run.rows, run.is_dry) == (RunState.DONE, 0, True)
    assert run.tables


def test_a_count_changes_nothing_and_says_what_would_go() -> None:
    for _ in range(3):
        message_make(30)
    message_make(30, "pending")
    job_perform(KIND, dry_run=True)
    assert QueuedMessage.objects.count() == 4
    run = run_of(KIND)
    assert (run.is_dry, run.rows, run.tables["notification_queue"]["is_estimate"]) == (
        True,
        3,
        False,
    )


def test_the_log_tells_what_went(caplog: pytest.LogCaptureFixture) -> None:
    message_make(30)
    with caplog.at_level("INFO", "switchboard.retention"):
        job_perform(KIND, dry_run=True)
        job_perform(KIND)
    told = [record.getMessage() for record in caplog.records if record.name.endswith("retention")]
    assert told == [
        f"{KIND} would remove 1 rows and 0 partitions",
        f"{KIND} removed 1 rows and 0 partitions",
    ]


def test_a_big_table_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "LOOKED_AT", 200)
    QueuedMessage.objects.bulk_create(
        [
            QueuedMessage(
                telegram_id=7, message="x", status="sent", created_at=row.created_at,
                sent_at=row.sent_at,
            )
            for row in [message_make(30)]
            for _ in range(300)
        ]
    )  # fmt: skip
    job_perform(KIND, dry_run=True)
    found = run_of(KIND).tables["notification_queue"]
    assert found["is_estimate"]
    assert found["rows"] >= 200


def test_what_a_person_asks_for_runs_as_a_job_and_is_audited(account: Callable[..., User]) -> None:
    anna = account("anna")
    message_make(30)
    run = retention_begin(kind=KIND, is_dry=False, by=anna)
    assert run.state == RunState.WAITING
    assert_enqueued(KIND, dry_run=False)
    drain()
    run.refresh_from_db()
    assert (run.state, run.rows, run.requested_by) == (RunState.DONE, 1, "anna")
    assert run.finished_at is not None
    entry = AuditEntry.objects.get(object_type="retention run")
    assert (entry.account, entry.action, entry.object_id) == (anna, "retention.run", str(run.pk))


def test_a_second_one_is_refused_while_the_first_waits(account: Callable[..., User]) -> None:
    anna = account("anna")
    retention_begin(kind=KIND, is_dry=False, by=anna)
    with pytest.raises(RetentionBusy):
        retention_begin(kind=KIND, is_dry=False, by=anna)
    retention_begin(kind=KIND, is_dry=True, by=anna)  # a count is something else
    assert RetentionRun.objects.count() == len(jobs_of(KIND)) == 2
    with pytest.raises(PolicyUnknown):
        retention_begin(kind="jobs.noop", is_dry=True, by=anna)


def test_a_run_that_waits_is_cancelled_at_once(account: Callable[..., User]) -> None:
    anna = account("anna")
    message_make(30)
    run = retention_begin(kind=KIND, is_dry=False, by=anna)
    assert retention_cancel(run_id=run.pk, by=anna) == "cancelled"
    drain()
    run.refresh_from_db()
    assert (run.state, QueuedMessage.objects.count()) == (RunState.CANCELLED, 1)
    with pytest.raises(RunOver):
        retention_cancel(run_id=run.pk, by=anna)


@pytest.mark.usefixtures("small")
def test_a_run_that_is_cancelled_ends_after_its_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        message_make(30)
    context = context_make()

    def cancel() -> None:
        context.interrupt = JobCancelled()

    strike(monkeypatch, 2, cancel)
    with pytest.raises(JobCancelled):
        retention_do(policy_get(KIND), is_dry=False, context=context)
    run = run_of(KIND)
    assert (run.state, run.rows, QueuedMessage.objects.count()) == (RunState.CANCELLED, 4, 2)


@pytest.mark.usefixtures("small")
def test_a_killed_run_is_taken_up_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        message_make(30)
    first = context_make()

    def die() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        strike(patch, 2, die)
        patch.setattr(running._Run, "end", lambda *_: None)  # SIGKILL leaves no time to write
        with pytest.raises(Killed):
            retention_do(policy_get(KIND), is_dry=False, context=first)
    run = run_of(KIND)
    assert (run.state, run.rows, QueuedMessage.objects.count()) == (RunState.RUNNING, 4, 2)
    second = JobContext(first.id, KIND, 2, 3, 2)
    retention_do(policy_get(KIND), is_dry=False, context=second)
    run.refresh_from_db()
    assert (run.state, run.rows, QueuedMessage.objects.count()) == (RunState.DONE, 6, 0)
    assert RetentionRun.objects.count() == 1


@pytest.mark.usefixtures("small")
def test_who_has_lost_the_lease_removes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        message_make(30)

    def pass_on() -> None:
        RetentionRun.objects.update(fence=9)

    strike(monkeypatch, 1, pass_on)
    with pytest.raises(LeaseLost):
        retention_do(policy_get(KIND), is_dry=False, context=context_make())
    run = run_of(KIND)
    assert (run.state, run.rows, QueuedMessage.objects.count()) == (RunState.RUNNING, 2, 4)


def test_a_run_whose_job_is_gone_is_closed_by_the_next_one() -> None:
    lost = RetentionRun.objects.create(
        kind=KIND, state=RunState.RUNNING, is_dry=False, job_id=uuid7()
    )
    job_perform(KIND)
    lost.refresh_from_db()
    assert (lost.state, lost.error) == (RunState.FAILED, "its job ended without a word")


def test_what_fails_is_written_down_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    message_make(30)
    monkeypatch.setattr(walk, "_PIECE", "SELECT 1 / 0")
    kind_get(KIND).enqueue()
    drain()
    run = run_of(KIND)
    assert run.state == RunState.FAILED
    assert "division by zero" in run.error
    assert [job.state for job in jobs_of(KIND)] == ["scheduled"]
