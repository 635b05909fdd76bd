"""The audit log: who did what to which, found again by filter, changed by nobody."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.utils.http import urlencode

from jobs.audit import audit_write
from jobs.models import AuditEntry
from jobs.registry import JobKind
from jobs.selectors import audit
from tests.jobs.admin.ways import job, text, to

pytestmark = pytest.mark.django_db

HOME = "auditentry_changelist"


def listed(client: Client, **query: str) -> list[str]:
    """The actions that the page lists for a filter."""
    page = client.get(f"{to(HOME)}?{urlencode(query)}").context["page"]
    return [entry.action for entry in page.entries]


def test_an_act_is_told_as_a_sentence_with_a_link(alice: Client, quiet: JobKind[Any]) -> None:
    made = quiet.enqueue(delay="1h").id
    alice.post(job(made, "cancel"), {"reason": "by mistake"})
    alice.post(to("queue_pause", "default"), {"reason": "panel is down"})
    answer = alice.get(to(HOME))
    assert f"alice cancelled job {made}" in text(answer)
    assert "by mistake" in text(answer)
    assert "alice paused queue default" in text(answer)
    html = answer.content.decode()
    assert f'href="{job(made)}"' in html
    assert f'href="{to("queue_changelist")}#queue-default"' in html


def test_entries_are_found_by_who_what_which_and_when(alice: Client) -> None:
    alice.post(to("queue_pause", "default"))
    alice.post(to("queue_resume", "default"))
    audit_write(None, "jobs.cancel", "job", "7", kind="a.b")
    assert listed(alice) == ["jobs.cancel", "queues.resume", "queues.pause"]
    assert listed(alice, who="alice") == ["queues.resume", "queues.pause"]
    assert listed(alice, who="system") == ["jobs.cancel"]
    assert listed(alice, action="queues.pause") == ["queues.pause"]
    assert listed(alice, object_type="job", object_id="7") == ["jobs.cancel"]
    assert listed(alice, since="1h") != []
    assert listed(alice, until="1h") == []


def test_a_wrong_filter_says_so(alice: Client) -> None:
    answer = alice.get(f"{to(HOME)}?since=whenever")
    assert "Write 2026-11-22" in text(answer)
    assert answer.status_code == 200


def test_the_log_comes_page_by_page(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 2)
    for number in range(5):
        audit_write(None, f"test.{number}", "thing", number)
    seen: list[str] = []
    address = to(HOME)
    while address:
        answer = alice.get(address)
        seen += [entry.action for entry in answer.context["page"].entries]
        following = answer.context["following"]
        address = following and to(HOME) + following
    assert seen == [f"test.{number}" for number in range(4, -1, -1)]


def test_what_was_written_is_shown_as_text(alice: Client) -> None:
    audit_write(None, "test.act", "thing", "<b>7</b>", reason="<script>alert(1)</script>")
    html = alice.get(to(HOME)).content.decode()
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_nobody_edits_or_deletes_a_line(alice: Client, rf: RequestFactory) -> None:
    model_admin = admin.site.get_model_admin(AuditEntry)
    request = rf.get("/")
    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_change_permission(request)
    assert not model_admin.has_delete_permission(request)
    entry = audit_write(None, "test.act", "thing", 7)
    for address in (f"{to(HOME)}{entry.pk}/change/", f"{to(HOME)}{entry.pk}/delete/"):
        assert alice.post(address, {"post": "yes"}).status_code == 404
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_an_empty_log_says_what_comes_here(alice: Client) -> None:
    assert "Nobody did anything yet" in text(alice.get(to(HOME)))
    assert "No entry matches" in text(alice.get(f"{to(HOME)}?who=nobody"))


def test_the_log_costs_the_same_with_more_entries(alice: Client, queries: Any) -> None:
    audit_write(None, "test.act", "thing", 0)
    few = queries(alice, to(HOME))
    for number in range(20):
        audit_write(None, "test.act", "job", number)
    assert queries(alice, to(HOME)) == few
