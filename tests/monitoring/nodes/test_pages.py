"""The pages of servers: who may see and do what, and that they tell everything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib import clock
from monitoring.alerts.models import Silence
from monitoring.alerts.services import alert_raise
from monitoring.nodes.locating import nodes_locate
from monitoring.nodes.models import Node
from tests.monitoring.nodes.rows import (
    DAY,
    HOUR,
    NL,
    look,
    node_make,
    state_make,
)
from tests.sandbox.remnawave.hand import PanelHand

LIST = "/admin/nodes/node/"
Account = Callable[..., User]


def page_of(row: Node) -> str:
    return f"{LIST}{row.pk}/change/"


def test_the_list_shows_each_server_and_what_is_wrong(full: Node, operator: Client) -> None:
    node_make(2, name="PL-1", health="offline", country_code="PL")
    node_make(3, name="Gone-1", removed_at=clock.now())
    alert_raise(rule="node_silent", key="told from outside", severity="warning", title="Other")
    answer = operator.get(LIST)
    text = answer.content.decode()
    assert answer.status_code == 200
    for words in (
        "NL-Amsterdam-1",
        "Netherlands",
        "Example Hosting",
        "PL-1",
        "offline",
        "Check now",
    ):
        assert words in text
    assert "Gone-1" not in text
    assert "PL-1" in operator.get(f"{LIST}?state=troubled").content.decode()
    assert "NL-Amsterdam-1" not in operator.get(f"{LIST}?state=troubled").content.decode()
    assert "Gone-1" in operator.get(f"{LIST}?state=gone").content.decode()
    silent = operator.get(f"{LIST}?state=silent").content.decode()
    assert "NL-Amsterdam-1" in silent
    assert ">silent</span>" in silent
    assert "PL-1" not in silent


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=nl2", ["NL-2"]),
        ("country=PL", ["PL-3"]),
        ("provider=Hosting+B", ["NL-2"]),
        ("tag=EU", ["PL-3"]),
        ("state=online&country=NL", ["NL-1", "NL-2"]),
        ("q=nothing", []),
    ],
)
def test_the_list_is_filtered(operator: Client, query: str, names: list[str]) -> None:
    node_make(1)
    node_make(2, provider="Hosting B")
    node_make(3, name="PL-3", address="pl3.example.net", country_code="PL", tags=["EU"])
    answer = operator.get(f"{LIST}?{query}")
    assert [line.row.name for line in answer.context["page"].lines] == names
    if not names:
        assert "No server matches." in answer.content.decode()


def test_a_wrong_filter_is_told_beside_its_field(operator: Client) -> None:
    answer = operator.get(f"{LIST}?created_from=yesterdayish")
    assert "Write 2026-11-22" in answer.content.decode()


def test_the_list_goes_on_page_by_page(operator: Client) -> None:
    for number in range(1, 61):
        node_make(number, view_position=number // 7, name=f"S-{number:02}")
    first = operator.get(LIST)
    second = operator.get(LIST + first.context["following"])
    shown = [line.row.pk for each in (first, second) for line in each.context["page"].lines]
    assert len(shown) == len(set(shown)) == 60
    assert not second.context["following"]
    assert operator.get(f"{LIST}?after=nonsense").status_code == 200


def test_the_queries_of_the_list_do_not_depend_on_the_number_of_servers(operator: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            operator.get(LIST)
        return len(found)

    node_make(1)
    queries()
    few = queries()
    for number in range(2, 30):
        node_make(number)
    assert queries() == few


def test_an_empty_list_says_what_to_do(operator: Client) -> None:
    assert "Set REMNAWAVE_URL" in operator.get(LIST).content.decode()
    assert "Set REMNAWAVE_URL" in operator.get(f"{LIST}map/").content.decode()


def test_the_page_of_a_server_tells_everything(full: Node, operator: Client) -> None:
    text = operator.get(page_of(full)).content.decode()
    for words in (
        "NL-Amsterdam-1", "Far fewer people", "node_silent", "Example Hosting", "VLESS", "1.0 TiB",
        "12.50", "Uptime, 30 d", "39 online", "<polyline", "state-strip", "offline",
    ):  # fmt: skip
        assert words in text, words
    assert operator.get(f"{LIST}{NL}/change/").status_code == 404


def test_a_bare_server_has_a_page_too(operator: Client) -> None:
    row = Node.objects.create(
        uuid=NL, name="New", address="", country_code="XX", health="warning", seen_health="warning",
        health_since=clock.now(), seen_since=clock.now(), checked_at=clock.now() - DAY,
    )  # fmt: skip
    text = operator.get(page_of(row)).content.decode()
    for words in ("tries to connect", "Nobody has seen it for a while", "Nothing is known yet"):
        assert words in text, words


def test_the_queries_of_the_page_do_not_depend_on_its_history(full: Node, operator: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            operator.get(page_of(full))
        return len(found)

    queries()
    few = queries()
    for number in range(1, 9):
        alert_raise(rule=f"rule_{number}", key=str(full.pk), severity="info", title="More")
        state_make(full, "offline", timedelta(days=number + 2), timedelta(days=number + 2) - HOUR)
    assert queries() == few


def test_the_map_leads_to_each_server_and_says_its_state(full: Node, supporter: Client) -> None:
    node_make(2, name="Lost-1", country_code="XX")
    node_make(3, name="PL-1", country_code="PL", health="offline")
    nodes_locate()
    text = supporter.get(f"{LIST}map/").content.decode()
    assert 'aria-label="NL-Amsterdam-1, Netherlands: online, 50 people"' in text
    assert 'class="pin is-offline"' in text
    assert f'href="{page_of(full)}"' in text
    assert "Without a place" in text
    for view in ("world", "europe", "asia", "americas", "africa", "nonsense"):
        assert supporter.get(f"{LIST}map/?view={view}").status_code == 200


def test_who_may_only_look_can_do_nothing(full: Node, supporter: Client) -> None:
    assert "Restart" not in supporter.get(page_of(full)).content.decode()
    for act in ("check", "enable", "disable", "restart", "silence", "place", "unplace", "edit"):
        assert supporter.post(f"{LIST}{full.pk}/{act}/").status_code == 403, act
    assert supporter.post(f"{LIST}check/").status_code == 403
    assert supporter.get(f"{LIST}act/?action=check&id={full.pk}").status_code == 403
    assert not AuditEntry.objects.exists()


def test_who_may_not_look_sees_nothing(full: Node, account: Account) -> None:
    client = Client()
    client.force_login(account("nina", is_staff=True))
    for path in (LIST, page_of(full), f"{LIST}map/"):
        assert client.get(path).status_code == 403, path
    assert Client().get(LIST).status_code == 302


def test_an_operator_disables_a_server_from_its_page(panel: PanelHand, operator: Client) -> None:
    look()
    path = f"{LIST}{NL}/"
    answer = operator.post(
        f"{path}disable/", {"reason": "Night", "next": f"{path}change/"}, follow=True
    )
    assert "NL-Amsterdam-1 is out of service." in answer.content.decode()
    assert Node.objects.get(pk=NL).health == "maintenance"
    assert operator.get(f"{path}disable/").status_code == 405
    answer = operator.post(f"{path}restart/", follow=True)
    assert "Refused: The server is disabled; enable it first." in answer.content.decode()


def test_an_operator_checks_and_silences(full: Node, operator: Client) -> None:
    operator.post(f"{LIST}{full.pk}/check/")
    assert_enqueued("monitoring.check_nodes")
    answer = operator.post(f"{LIST}{full.pk}/silence/", {"hours": "4", "reason": "x"}, follow=True)
    assert "For 4 hours nobody is told" in answer.content.decode()
    assert Silence.objects.get().key == str(full.pk)
    answer = operator.post(f"{LIST}{full.pk}/silence/", {"hours": "9999"}, follow=True)
    assert "Refused: choose for how long." in answer.content.decode()


def test_an_admin_places_and_edits(full: Node, admin: Client, operator: Client) -> None:
    path = f"{LIST}{full.pk}/"
    given = {"latitude": "51.44", "longitude": "5.47", "city": "Eindhoven"}
    admin.post(f"{path}place/", given)
    admin.post(f"{path}edit/", {"note": "Move in May", "monthly_cost": "9", "cost_currency": "USD"})
    full.refresh_from_db()
    assert (full.city, full.note, full.cost_currency) == ("Eindhoven", "Move in May", "USD")
    assert "Eindhoven" in admin.get(f"{LIST}map/").content.decode()
    answer = admin.post(f"{path}place/", {**given, "latitude": "99"}, follow=True)
    assert "Refused: Latitude" in answer.content.decode()
    admin.post(f"{path}unplace/")
    full.refresh_from_db()
    assert full.city == ""
    assert operator.post(f"{path}edit/").status_code == 403


def test_many_are_looked_at_before_anything_happens(panel: PanelHand, operator: Client) -> None:
    look()
    rows = list(Node.objects.order_by("view_position"))
    query = "&".join(f"id={row.pk}" for row in rows)
    answer = operator.get(f"{LIST}act/?action=restart&{query}")
    text = answer.content.decode()
    assert "Restart 3 servers?" in text
    assert "cut off for some seconds" in text
    hidden = answer.context["hidden"]
    sent: dict[str, Any] = {"reason": "Update"}
    for name, value in hidden:
        sent.setdefault(name, []).append(value)
    done = operator.post(f"{LIST}act/", sent, follow=True).content.decode()
    assert "2 servers told to restart" in done
    assert_enqueued("monitoring.operate_node", times=2)
    assert "Nothing was done" in operator.post(f"{LIST}act/", sent, follow=True).content.decode()
