"""Spans of the audit log are found by the ids at their ends."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry
from jobs.selectors.audit import AuditFilter, audit_page

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)


@pytest.fixture
def entries(db: None) -> list[AuditEntry]:
    """One each day from NOON on."""
    return [
        AuditEntry.objects.create(
            at=NOON + timedelta(days=day), account_name="olga", action="x", object_type="y",
            object_id=str(day),
        )
        for day in range(5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "43210"),
        (1, None, "4321"),
        (None, 3, "210"),
        (1, 3, "21"),
        (5, None, ""),
        (None, 0, ""),
        (-9, 9, "43210"),
    ],
)
def test_the_beginning_is_in_a_span_and_its_end_is_not(
    entries: list[AuditEntry], since: int | None, until: int | None, expected: str
) -> None:
    first = None if since is None else NOON + timedelta(days=since)
    last = None if until is None else NOON + timedelta(days=until)
    page = audit_page(AuditFilter(since=first, until=last))
    assert "".join(entry.object_id for entry in page.entries) == expected


def test_entries_that_are_out_of_step_are_found_all_the_same(db: None) -> None:
    for minutes in (30, 0, 20):
        AuditEntry.objects.create(
            at=NOON + timedelta(minutes=minutes), account_name="olga", action="x",
            object_type="y", object_id=str(minutes),
        )  # fmt: skip
    page = audit_page(AuditFilter(since=NOON, until=NOON + timedelta(minutes=31)))
    assert sorted(entry.object_id for entry in page.entries) == ["0", "20", "30"]


def test_a_span_long_ago_begins_at_its_own_ids(entries: list[AuditEntry]) -> None:
    where = AuditFilter(since=NOON + timedelta(days=1), until=NOON + timedelta(days=2))
    with CaptureQueriesContext(connection) as seen:
        audit_page(where)
    *ends, page = [query["sql"] for query in seen]
    assert len(ends) == 2
    assert all("LIMIT 1" in query for query in ends)
    assert f'"jobs_auditentry"."id" < {entries[3].pk}' in page
    assert f'"jobs_auditentry"."id" > {entries[0].pk}' in page
