"""The console: the list, the page of one, silences, and what people may do there."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from jobs.testing import assert_enqueued
from lib import clock
from lib.ids import uuid7
from monitoring.alerts.acting import alert_acknowledge, alert_resolve
from monitoring.alerts.models import Alert, Silence
from monitoring.alerts.services import alert_clear
from monitoring.alerts.silences import alert_silence, silence_create
from tests.console import Person
from tests.monitoring.alerts.rows import fresh, raised, tell_run

LIST = "/admin/alerts/alert/"
SILENCES = "/admin/alerts/silence/"
VIEW = ("alerts.view_alert", "alerts.view_silence", "telegram.view_queuedmessage")


@pytest.fixture
def operator(person: Person) -> Client:
    return person("olga", *VIEW, "alerts.operate_alert")


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def act(client: Client, alert: Alert, name: str, **given: str) -> str:
    """Press a button of the page of one; what the console says then."""
    address = reverse(f"admin:alerts_alert_{name}", args=[alert.pk])
    answer = client.post(address, {"next": LIST, **given})
    assert answer.status_code == 302
    assert answer["Location"] == LIST
    return [str(message) for message in get_messages(answer.wsgi_request)][-1]


def test_the_list_shows_what_is_open(operator: Client) -> None:
    raised("a")
    alert_resolve(alert_id=raised("b").pk, by=None)
    shown = page(operator, LIST)
    assert "Server a is offline" in shown
    assert "Server b is offline" not in shown
    assert "Server b is offline" in page(operator, f"{LIST}?state=resolved")
    assert "Server b is offline" in page(operator, f"{LIST}?state=all")
    assert "Server a is offline" not in page(operator, f"{LIST}?assigned=olga")
    assert "No alert matches" in page(operator, f"{LIST}?severity=info")


def test_a_rule_in_the_list_leads_to_all_of_its_alerts(operator: Client) -> None:
    raised("a")
    raised("other", rule="queue_depth", title="The queue is long")
    alert_resolve(alert_id=raised("b").pk, by=None)
    links = re.findall(r'<a class="mono" href="([^"]+)">node_offline</a>', page(operator, LIST))
    assert len(links) == 1
    shown = page(operator, unescape(links[0]))
    assert "Server a is offline" in shown
    assert "Server b is offline" in shown
    assert "The queue is long" not in shown


def test_the_list_says_why_nobody_is_told(operator: Client) -> None:
    parent = raised("panel", rule="panel_unreachable", title="The <panel> is away")
    alert_acknowledge(alert_id=parent.pk, by=None, name="olga (1)")
    raised("a", parent=("panel_unreachable", "panel"))
    until = clock.now() + timedelta(hours=1)
    alert_silence(alert_id=raised("b").pk, until=until, by=None)
    shown = page(operator, LIST)
    assert ">by The &lt;panel&gt; is away</span>" in shown
    assert f">until {until:%b} {until.day}, {until:%H:%M} UTC</span>" in shown
    assert ">by olga (1)</span>" in shown


def test_an_empty_list_says_that_nothing_is_wrong(operator: Client) -> None:
    assert "Nothing is wrong" in page(operator, LIST)


def test_a_filter_that_cannot_be_used_says_so(operator: Client) -> None:
    assert "cannot be used" in page(operator, f"{LIST}?opened_from=nonsense")


def test_the_list_costs_the_same_however_long_it_is(
    operator: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        raised(f"node-{number}", parent=("panel_unreachable", "x"))
    page(operator, LIST)
    with django_assert_max_num_queries(12):
        page(operator, LIST)


def test_the_list_is_turned_page_by_page(operator: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("monitoring.alerts.selectors.PAGE", 2)
    alerts = [raised(key) for key in ("a", "b", "c")]
    first = page(operator, f"{LIST}?after={alerts[1].pk}&page=2")
    assert "Server a is offline" in first
    assert "Server c is offline" not in first


def test_an_alert_is_found_by_its_id_and_by_words(operator: Client) -> None:
    alert = raised()
    found = operator.get(f"{LIST}?q={alert.pk}")
    assert found["Location"] == f"{LIST}{alert.pk}/change/"
    found = operator.get(f"{LIST}?q=fra-1")
    assert "fra-1" in page(operator, found["Location"])


def test_the_page_of_one_tells_everything(operator: Client) -> None:
    panel = ("panel_unreachable", "remnawave")
    old = raised(*panel[1:], rule=panel[0], title="The panel does not answer")
    alert_resolve(alert_id=old.pk, by=None, note="its disk was full")
    alert = raised(
        panel[1], rule=panel[0], title="The panel does not answer", text="HTTP 502",
        link="/admin/jobs/breaker/", source="files.check_watchers",
    )  # fmt: skip
    child = raised("fra-1", parent=panel)
    tell_run()
    alert_acknowledge(alert_id=alert.pk, by=None, name="olga (1)")
    shown = page(operator, f"{LIST}{alert.pk}/change/")
    for words in (
        "HTTP 502", "olga (1)", "Told 1 chat", "What it explains", "Server fra-1 is offline",
        "its disk was full", "/admin/runbook/panel_unreachable/", "Re-check", "/admin/jobs/breaker/",
        "Opened, critical",
    ):  # fmt: skip
        assert words in shown, words
    hidden = page(operator, f"{LIST}{child.pk}/change/")
    assert "Explained by" in hidden
    assert "nobody is told" in hidden
    assert page(operator, f"{LIST}{uuid7()}/change/", status=404)


@pytest.mark.parametrize("how", ["untold", "taken", "ended", "due", "silenced", "told", "over"])
def test_the_page_says_whether_people_know(operator: Client, how: str) -> None:
    alert = raised()
    if how in {"told", "over"}:
        tell_run()
    if how == "taken":
        alert_acknowledge(alert_id=alert.pk, by=None)
    if how in {"over", "ended"}:
        alert_clear(rule=alert.rule, key=alert.key)
    if how == "silenced":
        alert_silence(alert_id=alert.pk, until=clock.now() + timedelta(hours=1), by=None)
    if how == "untold":
        Alert.objects.update(tell_at=None)
    if how == "due":
        Alert.objects.update(tell_at=clock.now())
    assert {
        "untold": "Nobody was told.",
        "taken": "Nobody was told: it was acknowledged before that.",
        "ended": "Nobody was told: it was over before that.",
        "due": "is due to be told",
        "silenced": "told when the silence ends",
        "told": "Last told at",
        "over": "Its end is told together",
    }[how] in page(operator, f"{LIST}{alert.pk}/change/")


def test_an_operator_acts_from_the_page(operator: Client, account: Any) -> None:
    alert = raised(source="files.check_watchers")
    assert "olga has it" in act(operator, alert, "acknowledge")
    assert "until" in act(operator, alert, "silence", hours="4", reason="move")
    assert "taken back" in act(operator, alert, "unsilence")
    assert "given to olga" in act(operator, alert, "assign", to="olga")
    assert "given to nobody" in act(operator, alert, "assign", to="")
    assert "told now" in act(operator, alert, "escalate")
    assert "looked at again" in act(operator, alert, "recheck")
    assert_enqueued("files.check_watchers")
    assert "kept" in act(operator, alert, "note", note="a cable")
    assert "Resolved" in act(operator, alert, "resolve", reason="replaced")
    row = fresh(alert)
    assert (row.acked_by, row.resolved_by, row.note) == ("olga", "olga", "a cable\nreplaced")
    assert "Refused" in act(operator, alert, "acknowledge")


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("silence", {"hours": "5"}, "Choose 1, 4, 8"),
        ("silence", {}, "required"),
        ("assign", {"to": "nobody-of-that-name"}, "nobody of that name"),
        ("unsilence", {}, "no silence of this alert"),
        ("recheck", {}, "nothing can be run"),
    ],
)
def test_what_cannot_be_done_is_said(
    operator: Client, name: str, given: dict[str, str], said: str
) -> None:
    assert said in act(operator, raised(), name, **given)


def test_many_are_acknowledged_after_a_look(operator: Client) -> None:
    alerts = [raised(key) for key in ("a", "b")]
    query = "&".join(f"id={alert.pk}" for alert in alerts)
    looked = operator.get(f"{LIST}act/?action=acknowledge&{query}")
    shown = looked.content.decode()
    assert "Acknowledge 2 alerts" in shown
    assert fresh(alerts[0]).acked_at is None
    hidden = dict(looked.context["hidden"])
    sent = {**hidden, "id": [str(alert.pk) for alert in alerts]}
    done = operator.post(f"{LIST}act/", sent, follow=True)
    assert "2 alerts acknowledged" in done.content.decode()
    assert fresh(alerts[0]).acked_by == fresh(alerts[1]).acked_by == "olga"


def test_all_that_match_are_resolved_with_a_note(operator: Client) -> None:
    raised("a", severity="warning")
    raised("b")
    looked = operator.get(f"{LIST}act/?action=resolve&scope=matching&severity=warning")
    assert "What was it?" in looked.content.decode()
    operator.post(f"{LIST}act/", {**dict(looked.context["hidden"]), "note": "a test"})
    row = Alert.objects.get(key="a")
    assert (row.resolved_by, row.note) == ("olga", "a test")
    assert Alert.objects.get(key="b").resolved_at is None


def test_a_silence_is_planned_seen_and_taken_back(operator: Client) -> None:
    assert "No silence" in page(operator, SILENCES)
    raised()
    assert "node_offline" in page(operator, f"{SILENCES}new/?rule=node_offline")
    made = operator.post(
        f"{SILENCES}new/",
        {"rule": "node_*", "key": "*", "starts_at": "", "ends_at": "4h", "reason": "new hardware"},
    )
    assert made["Location"] == SILENCES
    row = Silence.objects.get()
    assert timedelta(hours=3) < row.ends_at - clock.now() < timedelta(hours=5)
    assert row.created_by == "olga"
    assert "new hardware" in page(operator, SILENCES)
    assert "new hardware" in page(operator, f"{SILENCES}?state=now")
    shown = page(operator, f"{SILENCES}{row.pk}/change/")
    assert "Server fra-1 is offline" in shown
    operator.post(f"{SILENCES}{row.pk}/end/", {"next": SILENCES})
    assert Silence.objects.get().ended_by == "olga"
    assert "taken back" in page(operator, f"{SILENCES}?state=over")
    assert page(operator, f"{SILENCES}{row.pk + 1}/change/", status=404)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ends_at": "nonsense"}, "Write 2026-11-22"),
        ({"ends_at": "2020-01-01"}, "must end later"),
        ({"rule": ""}, "required"),
        ({"ends_at": "100d"}, "at most 90 days"),
    ],
)
def test_a_window_that_is_none_is_refused_beside_its_field(
    operator: Client, given: dict[str, str], said: str
) -> None:
    answer = operator.post(
        f"{SILENCES}new/", {"rule": "x", "key": "*", "starts_at": "", "ends_at": "1h", **given}
    )
    assert answer.status_code == 422 or said in answer.content.decode()
    assert said in answer.content.decode()
    assert not Silence.objects.exists()


def test_a_coming_window_is_listed_as_coming(operator: Client) -> None:
    now = clock.now()
    silence_create(
        rule="node_*", starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=2),
        reason="tomorrow's move", by=None,
    )  # fmt: skip
    assert "tomorrow&#x27;s move" in page(operator, f"{SILENCES}?state=coming")
    assert "tomorrow&#x27;s move" not in page(operator, f"{SILENCES}?state=now")


@pytest.mark.parametrize("who", ["stranger", "viewer"])
def test_every_page_and_every_button_asks_for_its_permission(person: Person, who: str) -> None:
    client = person(who, *(VIEW if who == "viewer" else ()))
    alert = raised()
    row = silence_create(rule="x", ends_at=clock.now() + timedelta(hours=1), by=None)
    may_look = 200 if who == "viewer" else 403
    for address in (LIST, f"{LIST}{alert.pk}/change/", SILENCES, f"{SILENCES}{row.pk}/change/"):
        assert client.get(address).status_code == may_look
    if who == "viewer":
        assert "Acknowledge" not in page(client, f"{LIST}{alert.pk}/change/").split("<style")[0]
    names = (
        "acknowledge",
        "silence",
        "unsilence",
        "resolve",
        "assign",
        "escalate",
        "recheck",
        "note",
    )
    for name in names:
        assert (
            client.post(reverse(f"admin:alerts_alert_{name}", args=[alert.pk])).status_code == 403
        )
    assert client.get(f"{SILENCES}new/").status_code == 403
    assert client.post(f"{SILENCES}{row.pk}/end/").status_code == 403
    assert client.get(f"{LIST}act/?action=resolve&id={alert.pk}").status_code == 403
    assert fresh(alert).acked_at is None


def test_what_is_worst_and_untaken_stands_first(operator: Client) -> None:
    raised("a")
    raised("b", severity="warning")
    taken = raised("c")
    alert_acknowledge(alert_id=taken.pk, by=None)
    shown = page(operator, LIST)
    places = [shown.index(f"Server {key} is offline") for key in ("a", "b", "c")]
    assert places == sorted(places)
