"""The runbook: a section for every rule that the code can raise, and pages that show them."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.runbook import DOCUMENT, Section, sections

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "jobs", "notifications", "payments", "subscriptions", "monitoring", "reports")
RAISING = {"alert_raise", "alert_clear", "alerts_clear_others"}
QUESTIONS = ("**You see**", "**It means**", "**Do**", "**Well again when**")


@pytest.fixture
def reader(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_user("runbook-reader", is_staff=True))
    return browser


def rules_of_the_code() -> Iterator[tuple[str, str]]:
    """(where, rule) of each call that names a rule: by a string, or by a constant of its module."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            where = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
                        name in RAISING
                    ):
                        given = [each.value for each in node.keywords if each.arg == "rule"]
                        yield from ((where, rule) for rule in _named(where, given))


def _named(where: str, given: list[ast.expr]) -> Iterator[str]:
    match given:
        case [ast.Constant(value=str(rule))]:
            yield rule
        case [ast.Name(id=name)]:
            value = getattr(importlib.import_module(where), name, None)
            if isinstance(value, str):  # else an argument of the function around it
                yield value


def test_every_rule_that_the_code_names_has_a_section() -> None:
    assert sorted({each for each in rules_of_the_code() if each[1] not in sections()}) == []


@pytest.mark.parametrize("anchor", sorted(sections()))
def test_a_section_answers_the_four_questions_in_their_order(anchor: str) -> None:
    text = sections()[anchor].text
    places = [text.find(question) for question in QUESTIONS]
    assert -1 not in places, anchor
    assert places == sorted(places)
    assert sections()[anchor].area
    assert len(sections()[anchor].summary) > 20


def test_every_link_between_sections_leads_somewhere() -> None:
    targets = set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT.read_text()))
    assert len(targets) > 10
    assert sorted(targets - set(sections())) == []


def test_the_index_leads_to_every_section(reader: Client) -> None:
    page = reader.get("/admin/runbook/").content.decode()
    assert [anchor for anchor in sections() if f"/admin/runbook/{anchor}/" not in page] == []


def test_a_section_is_shown_with_links_inside_of_the_console(reader: Client) -> None:
    page = reader.get("/admin/runbook/node_offline/").content.decode()
    assert "<strong>You see</strong>" in page
    assert '<a href="/admin/runbook/panel_unreachable/">panel_unreachable</a>' in page
    table = reader.get("/admin/runbook/service_down/").content.decode()
    assert "<td><code>postgres</code></td>" in table


def test_who_may_see_alerts_gets_from_a_section_to_those_of_its_rule(
    reader: Client, admin_client: Client
) -> None:
    link = "/admin/alerts/alert/?rule=node_offline"
    assert link not in reader.get("/admin/runbook/node_offline/").content.decode()
    assert link in admin_client.get("/admin/runbook/node_offline/").content.decode()
    assert admin_client.get(link).status_code == 200


def test_links_to_other_documents_are_words_in_the_console(reader: Client) -> None:
    page = reader.get("/admin/runbook/error_rate/").content.decode()
    assert "(deploy.md)" in page
    assert 'href="deploy.md' not in page


def test_words_find_sections_and_a_name_leads_to_its_own(reader: Client) -> None:
    found = reader.get("/admin/runbook/", {"q": "crypto pay webhooks"}).content.decode()
    assert "/admin/runbook/payment_webhooks_missing/" in found
    assert "/admin/runbook/database_bloat/" not in found
    none = reader.get("/admin/runbook/", {"q": "zzz"}).content.decode()
    assert "No section has these words" in none
    led = reader.get("/admin/runbook/", {"q": "queue_depth"})
    assert led.headers["Location"] == "/admin/runbook/queue_depth/"


def test_an_unknown_rule_is_not_found_and_strangers_are_asked_to_log_in(reader: Client) -> None:
    assert reader.get("/admin/runbook/nothing_like_it/").status_code == 404
    for address in ("/admin/runbook/", "/admin/runbook/queue_depth/"):
        assert Client().get(address).headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("[here](javascript:alert(1))", "<a "),
        ('<img src="x" onerror="alert(1)">', "<img"),
        ("[there](deploy.md#upgrade)", "<a "),
    ],
)
def test_nothing_that_runs_gets_onto_the_page(text: str, absent: str) -> None:
    html = Section("rule", "area", text).html()
    assert absent not in html
    assert "<p>" in html


def test_no_section_hides_another_of_the_same_name() -> None:
    anchors = re.findall(r"^## (.+)$", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(anchors) == sorted(set(anchors))
