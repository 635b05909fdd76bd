"""What each kind of cleanup takes, and what it never takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from knox.models import AuthToken
from pytest_django.fixtures import Settings

from config.accounts import token_issue
from jobs.models import AuditEntry
from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from notifications.telegram.models import Dedup, QueuedMessage
from payments.models import IncomingWebhook, Intake, Review, ReviewReason
from reports.retention.models import RunState
from reports.retention.steps import walk
from tests.reports.retention.rows import (
    ago,
    audit_make,
    log_make,
    message_make,
    run_of,
    webhook_make,
)

QUEUE, TOKENS = "reports.clean_notification_queue", "reports.clean_tokens"
AUDIT, WEBHOOKS = "reports.clean_audit", "reports.clean_webhooks"


def clean(kind: str, **args: Any) -> int:
    outcome = job_perform(kind, **args)
    assert isinstance(outcome, Done)
    return int(outcome.result["rows"])


def test_messages_go_a_week_after_they_were_sent_given_up_or_cancelled() -> None:
    for status in ("sent", "failed", "cancelled"):
        message_make(8, status)
    young = message_make(6)
    late = message_make(30, sent_at=ago(1))
    assert clean(QUEUE) == 3
    assert set(QueuedMessage.objects.all()) == {young, late}
    run = run_of(QUEUE)
    assert (run.state, run.rows, run.is_dry, run.requested_by) == (RunState.DONE, 3, False, "")
    assert run.tables["notification_queue"]["rows"] == 3


def test_a_message_that_waits_is_never_taken_however_old() -> None:
    waiting = message_make(400, "pending")
    retried = message_make(400, "pending", attempts=3, next_attempt_at=ago(1))
    assert clean(QUEUE) == 0
    assert set(QueuedMessage.objects.all()) == {waiting, retried}
    assert run_of(QUEUE).tables == {}


def test_a_message_stays_as_long_as_it_holds_a_key_against_doubles() -> None:
    held = message_make(30)
    key = Dedup.objects.create(key="k", message=held, expires_at=clock.now())
    assert clean(QUEUE) == 0
    key.delete()
    assert clean(QUEUE) == 1


def test_the_days_are_a_setting(settings: Settings) -> None:
    message_make(2)
    settings.CLEANUP_NOTIFICATION_DAYS = 3
    assert clean(QUEUE) == 0
    settings.CLEANUP_NOTIFICATION_DAYS = 1
    assert clean(QUEUE) == 1


def test_a_walk_goes_over_many_batches_and_what_stays_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "BATCH", 3)
    kept = [message_make(30, "pending") for _ in range(4)]
    for _ in range(8):
        message_make(30)
    kept.append(message_make(30, "pending"))
    message_make(30)
    kept += [message_make(1) for _ in range(4)]
    assert clean(QUEUE) == 9
    assert list(QueuedMessage.objects.order_by("id")) == kept


def test_tokens_go_when_they_end_or_their_account_is_switched_off(
    account: Callable[..., User],
) -> None:
    machine, former = account("machine"), account("former")
    for owner, days in ((machine, 1), (machine, -1), (former, 1), (machine, None)):
        row, _ = AuthToken.objects.create(user=owner)
        expiry = None if days is None else clock.now() + timedelta(days=days)
        AuthToken.objects.filter(pk=row.pk).update(expiry=expiry)
    User.objects.filter(pk=former.pk).update(is_active=False)
    assert clean(TOKENS) == 2
    assert [row.expiry is None or row.expiry > clock.now() for row in AuthToken.objects.all()] == [
        True,
        True,
    ]


def test_sessions_go_when_they_end() -> None:
    for number, days in enumerate((-1, 1)):
        expiry = clock.now() + timedelta(days=days)
        Session.objects.create(session_key=f"s{number}", session_data="", expire_date=expiry)
    assert clean(TOKENS) == 1
    assert list(Session.objects.values_list("session_key", flat=True)) == ["s1"]


def test_a_token_that_works_goes_on_working(account: Callable[..., User]) -> None:
    issued = token_issue(account=account("machine"), lifetime=timedelta(days=1))
    assert clean(TOKENS) == 0
    assert AuthToken.objects.filter(token_key=issued.prefix).exists()


def test_the_audit_log_is_kept_for_its_days(account: Callable[..., User]) -> None:
    user = account()
    audit_make(91)
    log_make(91, user)
    young, young_log = audit_make(89), log_make(89, user)
    assert clean(AUDIT) == 2
    assert list(AuditEntry.objects.all()) == [young]
    assert list(LogEntry.objects.all()) == [young_log]
    assert set(run_of(AUDIT).tables) == {"jobs_auditentry", "django_admin_log"}


def test_incoming_webhooks_go_when_they_are_dealt_with() -> None:
    for state in (Intake.PROCESSED, Intake.DUPLICATE, Intake.REJECTED, Intake.UNMATCHED):
        webhook_make(31, state)
    kept = [webhook_make(29), webhook_make(400, Intake.RECEIVED), webhook_make(400, Intake.FAILED)]
    assert clean(WEBHOOKS) == 4
    assert list(IncomingWebhook.objects.order_by("id")) == kept


def test_what_an_open_question_names_stays_until_it_is_settled() -> None:
    webhook = webhook_make(60)
    question = Review.objects.create(
        webhook=webhook, key="invoice:1", reason=ReviewReason.UNKNOWN_INVOICE
    )
    assert clean(WEBHOOKS) == 0
    Review.objects.filter(pk=question.pk).update(resolved_at=clock.now())
    assert clean(WEBHOOKS) == 1
    question.refresh_from_db()
    assert question.webhook_id is None
