"""Retention over REST, for reading."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lib import clock
from reports.retention.models import RetentionRun, RunState
from reports.retention.policies import policies

ROOT = "/api/v1/retention"
KIND = "reports.clean_audit"


def run_make(**changes: object) -> RetentionRun:
    given = {
        "kind": KIND, "state": RunState.DONE, "is_dry": False, "rows": 3,
        "tables": {"jobs_auditentry": {"rows": 3, "bytes": 0, "partitions": [], "is_estimate": False}},
        "started_at": clock.now(), "finished_at": clock.now(), **changes,
    }  # fmt: skip
    return RetentionRun.objects.create(**given)


def test_the_kinds_come_with_how_they_last_went(api: Client) -> None:
    run_make(finished_at=clock.now() - timedelta(days=1))
    last, counted = run_make(rows=5), run_make(is_dry=True, rows=9)
    items = {item["kind"]: item for item in api.get(ROOT).json()["items"]}
    assert list(items) == [each.kind for each in policies()]
    found = items[KIND]
    assert (found["kept"], found["setting"]) == ("90 days", "CLEANUP_AUDIT_RETENTION_DAYS")
    assert (found["last"]["id"], found["counted"]["id"]) == (str(last.pk), str(counted.pk))
    assert items["reports.clean_tokens"]["last"] is None


def test_runs_are_listed_by_filter_page_by_page(api: Client) -> None:
    runs = [run_make() for _ in range(3)]
    dry = run_make(is_dry=True)
    failed = run_make(kind="reports.clean_tokens", state=RunState.FAILED, error="Redis is away")

    def ids(query: str) -> list[str]:
        return [item["id"] for item in api.get(f"{ROOT}/runs{query}").json()["items"]]

    assert ids("?dry=true") == [str(dry.pk)]
    assert ids("?state=failed&kind=reports.clean_tokens") == [str(failed.pk)]
    page = api.get(f"{ROOT}/runs?dry=false&kind={KIND}&limit=2").json()
    assert [item["id"] for item in page["items"]] == [str(runs[2].pk), str(runs[1].pk)]
    assert ids(f"?dry=false&kind={KIND}&limit=2&cursor={page['next_cursor']}") == [str(runs[0].pk)]


@pytest.mark.parametrize("query", ["kind=x", "state=x", "dry=x", "limit=0", "cursor=x"])
def test_what_does_not_fit_is_refused_by_name(api: Client, query: str) -> None:
    answer = api.get(f"{ROOT}/runs?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


def test_one_run_is_told_whole(api: Client) -> None:
    run = run_make()
    found = api.get(f"{ROOT}/runs/{run.pk}").json()
    assert (found["rows"], found["tables"]["jobs_auditentry"]["rows"]) == (3, 3)
    missing = api.get(f"{ROOT}/runs/00000000-0000-7000-8000-000000000000")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["", "/runs"])
def test_the_lists_cost_the_same_however_many_runs_there_are(api: Client, path: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"{ROOT}{path}").status_code == 200
        return len(captured)

    run_make()
    run_make(is_dry=True)
    cost()  # what is read once per process is read by now
    few = cost()
    for _ in range(5):
        run_make()
    assert cost() == few


@pytest.mark.django_db
def test_nobody_reads_without_the_permission() -> None:
    assert Client().get(ROOT).status_code in {401, 403}
