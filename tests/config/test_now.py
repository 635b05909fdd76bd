"""The start page of the admin says first what needs a person."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.runbook import sections
from jobs.audit import audit_write
from lib import now
from lib.now import Attention, Figure, Severity, attention, figure, figures, gather
from monitoring.dashboard.events import event_note
from tests.monitoring.dashboard.rows import alert_make, node_make, paid

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of this test alone."""
    monkeypatch.setattr(now, "_sources", {})


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The figures of this test alone; those that are installed, for who wants them."""
    installed: dict[str, Any] = dict(now._figures)
    monkeypatch.setattr(now, "_figures", {})
    return installed


@pytest.fixture
def operator(client: Client, account: Callable[..., User]) -> Client:
    client.force_login(account("operator", is_staff=True))
    return client


def page(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_list_is_calm(operator: Client) -> None:
    assert "Nothing needs you now" in page(operator)


def test_what_is_zero_is_nothing(operator: Client) -> None:
    attention()(lambda: Attention("Dead jobs", 0, Severity.CRITICAL))
    assert "Nothing needs you now" in page(operator)


def test_each_thing_is_a_card_that_leads_to_its_place(operator: Client) -> None:
    attention()(lambda: Attention("Dead <jobs>", 1200, Severity.CRITICAL, "/dead/", "Replay."))
    html = page(operator)
    assert "Dead &lt;jobs&gt;" in html
    assert 'href="/dead/"' in html
    assert "1,200" in html
    assert "Replay." in html
    assert "now-critical" in html
    assert "Nothing needs you now" not in html


def test_the_worst_comes_first_then_the_order(account: Callable[..., User]) -> None:
    @attention(order=2)
    def second() -> Iterable[Attention]:
        return [Attention("late", 1, Severity.WARNING), Attention("dead", 1, Severity.CRITICAL)]

    @attention(order=1)
    def first() -> Attention:
        return Attention("early", 1, Severity.WARNING)

    @attention(order=0)
    def notice() -> Attention:
        return Attention("by the way", 1, Severity.NOTICE)

    @attention()
    def nothing() -> None:
        return None

    titles = [item.title for item in gather(account())]
    assert titles == ["dead", "early", "late", "by the way"]


def test_what_one_may_not_see_is_not_shown(account: Callable[..., User]) -> None:
    attention(permission="config.view_ops")(lambda: Attention("Secret", 1, Severity.NOTICE))
    assert gather(account("one")) == []
    assert len(gather(account("other", "config.view_ops"))) == 1


def test_a_source_that_fails_is_shown_and_hides_no_other(
    account: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    @attention()
    def broken() -> Attention:
        raise ZeroDivisionError

    attention()(lambda: Attention("Dead jobs", 1, Severity.CRITICAL))
    titles = [item.title for item in gather(account())]
    assert titles[0] == "Dead jobs"
    assert "broken failed" in titles[1]
    assert any(record.exc_info for record in caplog.records)


def test_the_cards_are_drawn_again_without_the_page(operator: Client) -> None:
    attention()(lambda: Attention("Dead jobs", 3, Severity.CRITICAL))
    answer = operator.get("/admin/now/")
    assert b"Dead jobs" in answer.content
    assert b"<html" not in answer.content


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    for path in ("/admin/", "/admin/now/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_figures_stand_in_their_order_and_lead_to_their_rows(operator: Client) -> None:
    @figure(order=2)
    def second() -> Iterable[Figure]:
        return [Figure("Late", "3 s"), Figure("Later", "5 s")]

    @figure(order=1)
    def first() -> Figure:
        return Figure(
            "Money <today>", "10 USDT", url="/rows/", hint="+5 %", spark=[0, 1, 4], before=[1, 2, 2]
        )

    html = page(operator)
    assert html.index("Money &lt;today&gt;") < html.index("Late") < html.index("Later")
    assert 'href="/rows/"' in html
    assert 'points="0.0,26.0 60.0,20.0 120.0,2.0"' in html
    assert 'class="before" points="0.0,20.0 60.0,14.0 120.0,14.0"' in html


def test_what_is_not_well_leads_to_the_runbook(operator: Client) -> None:
    figure()(lambda: Figure("Oldest", "2 h", Severity.CRITICAL, runbook="queue_old"))
    attention()(lambda: Attention("Dead jobs", 1, Severity.CRITICAL, runbook="no_such_section"))
    html = page(operator)
    assert 'href="/admin/runbook/queue_old/"' in html
    assert html.count("What to do") == 1


def test_every_section_that_a_source_names_is_in_the_runbook() -> None:
    apps = ("jobs", "notifications", "payments", "subscriptions", "monitoring", "reports")
    texts = [
        path.read_text()
        for app in apps
        for name in ("attention", "figures")
        for path in (ROOT / app).rglob(f"{name}.py")
    ]
    named = {found for text in texts for found in re.findall(r'runbook="([^"{]+)"', text)}
    assert len(named) > 10
    assert named - sections().keys() == set()


def test_one_value_is_no_line(operator: Client) -> None:
    figure()(lambda: Figure("Users", "1", spark=[5]))
    assert "<polyline" not in page(operator)


def test_a_figure_that_fails_is_shown_as_failing_and_hides_no_other(
    operator: Client, caplog: pytest.LogCaptureFixture
) -> None:
    @figure()
    def users_online() -> Figure:
        raise ZeroDivisionError

    figure()(lambda: Figure("Oldest", "2 h"))
    html = page(operator)
    assert "Users online" in html
    assert "It raised an error" in html
    assert "Oldest" in html
    assert any(record.exc_info for record in caplog.records)


def test_a_figure_that_one_may_not_see_is_not_shown(account: Callable[..., User]) -> None:
    figure(permission="config.view_ops")(lambda: Figure("Secret", "1"))
    assert figures(account("one")) == []
    assert len(figures(account("other", "config.view_ops"))) == 1


def test_alerts_can_be_taken_from_the_start_page(
    client: Client, account: Callable[..., User]
) -> None:
    alert = alert_make(title="fra-1 is offline", rule="odd name", runbook="odd name")
    client.force_login(account("looker", "alerts.view_alert", is_staff=True))
    assert "fra-1 is offline" in page(client)
    assert "Acknowledge" not in page(client)
    olga = account("olga", "alerts.view_alert", "alerts.operate_alert", is_staff=True)
    client.force_login(olga)
    action = f"/admin/alerts/alert/{alert.pk}/acknowledge/"
    assert f'action="{action}"' in page(client)
    assert client.post(action, {"next": "/admin/"})["Location"] == "/admin/"
    assert "olga has it" in page(client)


def test_what_people_did_is_shown_and_not_what_the_platform_does_by_itself(
    client: Client, account: Callable[..., User]
) -> None:
    olga = account("olga", "jobs.view_auditentry", is_staff=True)
    client.force_login(olga)
    assert "Nobody did anything yet" in page(client)
    audit_write(None, "queues.pause", "queue", "system-made")
    audit_write(olga, "queues.pause", "queue", "default")
    html = page(client)
    assert "<b>olga</b> paused queue" in html
    assert "system-made" not in html


def test_the_whole_page_costs_so_many_queries_and_no_more(
    client: Client,
    account: Callable[..., User],
    numbers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """With every source that is installed, for who may see all of it, and with rows that tell."""
    monkeypatch.undo()  # also the registry of this test
    for number in range(25):
        alert_make(title=f"alert {number}")
        node_make(f"node-{number}")
        paid(timedelta(minutes=number))
        event_note("node_offline", f"event {number}")
    root = account("root", is_staff=True, is_superuser=True)
    with django_assert_max_num_queries(20):
        assert len(figures(root)) >= len(numbers) - 1  # no panel is set up
    client.force_login(root)
    client.get("/admin/now/")
    with django_assert_max_num_queries(110):
        html = client.get("/admin/now/").content.decode()
    assert "It raised an error" not in html
