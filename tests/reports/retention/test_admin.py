"""The page of what leaves and what went."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs.testing import assert_enqueued, drain, job_perform
from notifications.telegram.models import QueuedMessage
from reports.retention.models import RetentionRun, RunState
from reports.retention.policies import policies
from tests.reports.retention.rows import message_make, run_of

KIND = "reports.clean_notification_queue"
LIST = "/admin/retention/retentionrun/"


def act(name: str, *args: Any) -> str:
    return reverse(f"admin:retention_retentionrun_{name}", args=args)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_page_names_all_that_leaves(bob: Client) -> None:
    shown = text(bob.get(LIST))
    for each in policies():
        assert each.title in shown
    for name in ("webhooks.clean", "jobs.keep_history", "inbox.trim_retention"):
        assert name in shown
    assert "CLEANUP_NOTIFICATION_DAYS" in shown
    assert "Nothing has run yet." in shown
    assert "Remove now" not in shown, "who only looks gets no buttons"


def test_a_count_and_then_the_removal(anna: Client) -> None:
    message_make(30)
    answer = anna.post(act("begin", KIND, "dry"), follow=True)
    assert "is being counted" in text(answer)
    drain()
    counted = run_of(KIND)
    shown = text(anna.get(act("change", counted.pk)))
    assert "1 row" in shown
    assert "would go" in shown
    assert QueuedMessage.objects.count() == 1
    anna.post(act("begin", KIND, "real"))
    drain()
    assert QueuedMessage.objects.count() == 0
    assert "anna: had removed what is old" in text(anna.get(act("change", run_of(KIND).pk)))


def test_a_run_at_work_is_followed_and_cancelled(anna: Client) -> None:
    anna.post(act("begin", KIND, "real"))
    run = run_of(KIND)
    assert "it begins when a worker is free" in text(anna.get(act("live", run.pk)))
    assert "it begins when a worker is free" in text(anna.get(act("change", run.pk)))
    assert "The run is cancelled." in text(anna.post(act("cancel", run.pk), follow=True))
    assert anna.get(act("live", run.pk)).headers["HX-Refresh"] == "true"
    assert "Refused: the run is cancelled." in text(anna.post(act("cancel", run.pk), follow=True))


def test_what_is_refused_is_said(anna: Client) -> None:
    anna.post(act("begin", KIND, "real"))
    assert "waits or runs already" in text(anna.post(act("begin", KIND, "real"), follow=True))
    assert "no cleanup is called" in text(anna.post(act("begin", "jobs.noop", "dry"), follow=True))


@pytest.mark.parametrize("name", ["begin", "prepare", "cancel"])
def test_who_only_looks_may_do_nothing(bob: Client, name: str) -> None:
    job_perform(KIND)
    given: dict[str, list[Any]] = {
        "begin": [KIND, "real"],
        "prepare": [],
        "cancel": [run_of(KIND).pk],
    }
    assert bob.post(act(name, *given[name])).status_code == 403
    assert RetentionRun.objects.count() == 1


def test_what_went_is_drawn_by_night(bob: Client) -> None:
    assert "rows at most" not in text(bob.get(LIST)), "nothing to draw yet"
    for _ in range(3):
        message_make(30)
    job_perform(KIND)
    shown = text(bob.get(LIST))
    assert "3 rows at most" in shown
    assert f"{run_of(KIND).finished_at:%d %b %Y} UTC: 3 rows" in shown


def test_days_are_made_on_demand(anna: Client) -> None:
    assert "The next days are being made." in text(anna.post(act("prepare"), follow=True))
    assert_enqueued("reports.prepare_partitions")


def test_runs_are_filtered_and_the_address_can_be_shared(bob: Client) -> None:
    job_perform(KIND)
    job_perform("reports.clean_audit", dry_run=True)

    def kinds(query: str) -> list[str]:
        return [run.kind for run in bob.get(f"{LIST}?{query}").context["runs"]]

    assert kinds("sort=dry") == ["reports.clean_audit"]
    assert kinds(f"kind={KIND}&state=done") == [KIND]
    assert kinds("kind=nonsense&state=nonsense&after=nonsense") == ["reports.clean_audit", KIND]
    assert "No run matches." in text(bob.get(f"{LIST}?state=failed"))
    shared = bob.get(f"{LIST}?state=failed").context["share"]
    assert shared.endswith(f"{LIST}?state=failed")


def test_a_run_that_failed_says_why_and_what_to_do(anna: Client) -> None:
    run = RetentionRun.objects.create(
        kind=KIND, state=RunState.RUNNING, is_dry=False, error="", job_id=None
    )
    RetentionRun.objects.filter(pk=run.pk).update(
        state=RunState.FAILED, error="Redis is away", finished_at=run.created_at
    )
    shown = text(anna.get(act("change", run.pk)))
    assert "Redis is away" in shown
    assert "Run it again" in shown
    missing = "00000000-0000-7000-8000-000000000000"
    assert anna.get(act("change", missing)).status_code == 404


def test_the_page_costs_the_same_however_many_runs_there_are(bob: Client) -> None:
    def cost() -> int:
        bob.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            assert bob.get(LIST).status_code == 200
        return len(captured)

    job_perform(KIND)
    job_perform(KIND, dry_run=True)
    few = cost()
    for _ in range(5):
        job_perform(KIND)
    assert cost() == few
