"""Pods and open sockets, as they are now."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from notifications.inbox.selectors import pods
from tests.notifications.inbox.admin.rows import device_make, person_make, pod_make
from tests.notifications.inbox.admin.ways import html, page_of, text, to

pytestmark = pytest.mark.django_db


def conditions(client: Client) -> list[tuple[str, str]]:
    """The pods in the order of the page, with their state."""
    views = client.get(to(model="pod")).context["pods"]
    return [(view.pod.pod_id, view.condition) for view in views]


def test_pods_are_shown_with_their_state_the_silent_first(alice: Client) -> None:
    pod_make("small")
    pod_make("large", connections=900, users=800)  # as it said with its last beat
    pod_make("leaving", draining=True)
    for device in ("phone", "laptop", "tablet"):
        device_make(person_make(), device, "large")
    device_make(person_make((8, "bob")), "phone", "large")
    device_make(person_make(), "phone", "small")
    pod_make("dead", silent_s=60)
    assert conditions(alice) == [
        ("dead", "silent"), ("large", "alive"), ("small", "alive"), ("leaving", "draining"),
    ]  # fmt: skip
    shown = text(alice.get(to("live", model="pod")))
    assert "large 10.0.0.1:8000 alive 4 of 20,000 2 " in shown
    assert "connected now 5 people 2 pods 2 + 1 draining + 1 silent" in shown


def test_a_pod_near_its_cap_is_marked(alice: Client, settings: Settings) -> None:
    settings.WS_MAX_CONNECTIONS = 5
    for pod_id, sockets in (("full", 4), ("calm", 3)):
        pod_make(pod_id)
        for _ in range(sockets):
            device_make(person_make(), pod_id=pod_id)
    views = {view.pod.pod_id: view for view in alice.get(to(model="pod")).context["pods"]}
    assert views["full"].is_nearly_full
    assert not views["calm"].is_nearly_full
    assert "nearly full" in text(alice.get(to(model="pod")))


def test_without_pods_the_page_says_what_comes_here(alice: Client) -> None:
    assert "No pod holds sockets." in text(alice.get(to(model="pod")))
    assert "Nobody is connected." in text(alice.get(to(model="client")))


def clients(client: Client, **query: Any) -> list[str]:
    answer = client.get(to(model="client", **query))
    return [f"{row.login} {row.device}" for row in answer.context["clients"]]


def test_open_sockets_are_found_by_pod_and_person(alice: Client) -> None:
    pod_make("pod-1")
    pod_make("pod-2")
    person, bob = person_make(), person_make((8, "bob"))
    device_make(person, "phone", "pod-1")
    device_make(person, "laptop", "pod-2")
    device_make(bob, "tablet", "pod-2")
    assert clients(alice) == ["alice phone", "alice laptop", "bob tablet"]
    assert clients(alice, pod="pod-2") == ["alice laptop", "bob tablet"]
    assert clients(alice, q="7:alice") == ["alice phone", "alice laptop"]
    assert clients(alice, q="alice", pod="pod-2") == ["alice laptop"]
    assert clients(alice, q="nobody") == []
    assert clients(alice, pod="\x00pod-2") == ["alice laptop", "bob tablet"]
    assert page_of(bob) in html(alice.get(to(model="client")))


def test_open_sockets_come_page_by_page(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pods, "PAGE", 2)
    person = person_make()
    for n in range(5):
        device_make(person, f"d{n}")
    seen: list[str] = []
    address = to(model="client")
    while address:
        answer = alice.get(address)
        seen += [row.device for row in answer.context["clients"]]
        following = answer.context["following"]
        address = following and to(model="client") + following
    assert seen == [f"d{n}" for n in range(5)]


def test_names_of_devices_cannot_break_out(alice: Client) -> None:
    device_make(person_make((7, "<b>al")), "<script>alert(1)</script>", "<i>pod")
    shown = html(alice.get(to(model="client")))
    for tag in ("<b>al", "<script>alert", "<i>pod"):
        assert tag not in shown


def test_the_pages_cost_the_same_with_more_pods_and_sockets(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    person = person_make()
    pod_make()
    device_make(person)
    addresses = (to(model="pod"), to("live", model="pod"), to(model="client"))
    few = [queries(alice, address) for address in addresses]
    for n in range(20):
        pod_make(f"p{n}")
        device_make(person, f"d{n}", f"p{n}")
    assert [queries(alice, address) for address in addresses] == few
    assert max(few) <= 10
