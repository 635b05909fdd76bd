"""Who may see and do what: readers see every page without a button, acts are refused on the server."""

import re
from typing import Any

import pytest
from django.test import Client

from jobs.models import AuditEntry
from lib.ids import uuid7
from notifications.inbox.models import Notification, Recipient
from tests.console import are_closed_to_strangers, without_token
from tests.notifications.inbox.admin.rows import (
    device_make,
    note_make,
    person_make,
    pod_make,
    push_make,
    read_make,
)
from tests.notifications.inbox.admin.ways import page_of, to


class World:
    """One of everything, and the addresses of all pages and acts."""

    def __init__(self) -> None:
        self.waiting = note_make()
        self.read = read_make()
        self.person = person_make()
        pod_make()
        push_make(self.waiting, device_make(self.person))

    def pages(self) -> list[str]:
        return [
            to(),
            to("figures"),
            to("picture"),
            page_of(self.waiting),
            page_of(self.waiting, "live"),
            page_of(self.read),
            to(model="recipient"),
            page_of(self.person),
            page_of(self.person, "devices"),
            to(model="pod"),
            to("live", model="pod"),
            to(model="client"),
        ]

    def acts(self) -> list[tuple[str, dict[str, str]]]:
        one = str(self.waiting.pk)
        words = {"message": "x", "to": "7:alice", "source": "console", "priority": "2"}
        return [
            (page_of(self.waiting, "recall"), {}),
            (page_of(self.waiting, "expire"), {}),
            (page_of(self.waiting, "edit"), {"message": "x"}),
            (to("act"), {"action": "recall", "id": one}),
            (to("act"), {"action": "expire", "id": one}),
            (to("compose"), {**words, "go": "look"}),
            (to("compose"), {**words, "go": "send"}),
            (page_of(self.person), {"time_zone": "UTC", "retention_days": "3"}),
        ]

    def state(self) -> list[Any]:
        """Everything that an act could have changed."""
        return [
            list(Notification.objects.order_by("id").values()),
            list(Recipient.objects.order_by("id").values()),
            AuditEntry.objects.count(),
        ]


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_a_reader_sees_every_page_and_no_button(world: World, bob: Client) -> None:
    for address in world.pages():
        answer = bob.get(address)
        assert answer.status_code == 200, address
        inside = answer.content.decode().split('<div class="console"', 1)[-1]
        assert not re.search(r'<form[^>]*method="post"', inside), address
        assert "with all that match" not in inside
        assert to("compose") not in inside
        assert "/edit/" not in inside


def test_an_operator_finds_buttons_where_the_reader_finds_none(world: World, alice: Client) -> None:
    for address, label in (
        (page_of(world.waiting), "Recall the notification"),
        (page_of(world.waiting), "Expire the notification"),
        (page_of(world.waiting), "Write to this person"),
        (to(state="unread"), "with all that match"),
        (to(), "Write a notification"),
        (to(model="recipient"), "Write to the"),
        (page_of(world.person), "Save the preferences"),
        (to("compose"), "See what would happen"),
    ):
        assert label in alice.get(address).content.decode(), address


def test_a_super_user_sees_every_page(world: World, root: Client) -> None:
    for address in (*world.pages(), to("compose"), page_of(world.waiting, "edit")):
        assert root.get(address).status_code == 200, address


def test_every_act_of_a_reader_is_refused_and_changes_nothing(world: World, bob: Client) -> None:
    before = world.state()
    for address, data in world.acts():
        assert bob.post(address, data).status_code == 403, address
    assert world.state() == before


def test_forms_and_dry_runs_are_not_for_readers_either(world: World, bob: Client) -> None:
    for address in (
        to("act", action="recall", scope="matching", state="unread"),
        to("compose"),
        page_of(world.waiting, "edit"),
    ):
        assert bob.get(address).status_code == 403, address


def test_every_act_needs_a_csrf_token(world: World, alice: Client) -> None:
    strict = without_token(alice)
    before = world.state()
    for address, data in world.acts():
        assert strict.post(address, data).status_code == 403, address
    assert world.state() == before


def test_looking_at_the_address_of_an_act_does_nothing(world: World, alice: Client) -> None:
    before = world.state()
    for name in ("recall", "expire"):
        assert alice.get(page_of(world.waiting, name)).status_code == 405
    assert world.state() == before


def test_staff_without_the_permission_see_none_of_it(world: World, carol: Client) -> None:
    for address in world.pages():
        assert carol.get(address).status_code == 403, address


def test_a_stranger_is_sent_to_the_login(world: World) -> None:
    are_closed_to_strangers((*world.pages(), *(address for address, _ in world.acts())))


def test_what_is_not_there_is_said_as_404(alice: Client, db: None) -> None:
    for address in (
        to("change", uuid7()),
        to("live", uuid7()),
        to("edit", uuid7()),
        to("change", 999_999, model="recipient"),
        to("change", 2**64, model="recipient"),
        to("devices", 999_999, model="recipient"),
    ):
        assert alice.get(address).status_code == 404, address


def test_the_sidebar_leads_to_the_pages_that_one_may_see(
    world: World, alice: Client, bob: Client
) -> None:
    for client, writes in ((alice, True), (bob, False)):
        shown = client.get(to()).content.decode()
        for address in (to(), *(to(model=name) for name in ("recipient", "pod", "client"))):
            assert f'href="{address}"' in shown
        assert (f'href="{to("compose")}"' in shown) is writes
