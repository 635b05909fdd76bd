"""Who may see and do what: readers see every page without a button, acts are refused on the server."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.models import AuditEntry
from lib.ids import uuid7
from notifications.broadcasts.models import Broadcast
from notifications.broadcasts.services import broadcast_pause, broadcast_send_now
from tests.console import are_closed_to_strangers, without_token
from tests.notifications.broadcasts.admin.ways import draft, to
from tests.notifications.broadcasts.rows import broadcast_make, people_make

pytestmark = pytest.mark.django_db


class World:
    """A draft and one that is paused, and the addresses of all pages and acts."""

    def __init__(self) -> None:
        people_make(3)
        self.draft = broadcast_make()
        self.paused = broadcast_make(title="Half way")
        broadcast_send_now(broadcast_id=self.paused.pk, by=None)
        broadcast_pause(broadcast_id=self.paused.pk, by=None)

    def pages(self) -> list[str]:
        each = [
            to(name, row.pk)
            for row in (self.draft, self.paused)
            for name in ("change", "ledger", "rest", "reach")
        ]
        return [to(), to("now"), *each]

    def forms(self) -> list[str]:
        """Pages that only those see who may act."""
        return [
            to("compose"),
            to("edit", self.draft.pk),
            to("send", self.draft.pk),
            to("resend", self.paused.pk),
            to("recall", self.paused.pk),
            to("act", action="cancel", id=str(self.draft.pk)),
        ]

    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        one = str(self.draft.pk)
        return [
            (to("compose"), draft()),
            (to("compose_preview"), draft()),
            (to("compose_audience"), draft()),
            (to("edit", one), draft(title="Other")),
            (to("send", one), {"when": "now", "time_zone": "UTC"}),
            (to("test", one), {"user_id": "1", "login": "u1", "language": "en"}),
            (to("cancel", one), {}),
            (to("clone", one), {}),
            (to("unschedule", one), {}),
            (to("pause", self.paused.pk), {}),
            (to("resume", self.paused.pk), {}),
            (to("resend", self.paused.pk), {}),
            (to("recall", self.paused.pk), {"mode": "delete"}),
            (to("act"), {"action": "cancel", "id": one}),
        ]

    def state(self) -> list[Any]:
        """Everything that an act could have changed."""
        return [list(Broadcast.objects.order_by("id").values()), AuditEntry.objects.count()]


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_a_reader_sees_every_page_and_no_button(world: World, bob: Client) -> None:
    for address in world.pages():
        answer = bob.get(address)
        assert answer.status_code == 200, address
        inside = answer.content.decode().split('<div class="console"', 1)[-1]
        assert not re.search(r'<form[^>]*method="post"', inside), address
        for word in ("compose/", "/edit/", "/send/", "/resend/", "/recall/", "data-choose-all"):
            assert word not in inside, (address, word)


def test_an_operator_finds_buttons_where_the_reader_finds_none(world: World, alice: Client) -> None:
    for address, label in (
        (to(), "Write a broadcast"),
        (to(status="draft"), "with all that match"),
        (to("change", world.draft.pk), "Send or schedule"),
        (to("change", world.draft.pk), "Send a test"),
        (to("change", world.draft.pk), "Cancel the broadcast"),
        (to("change", world.draft.pk), "Clone"),
        (to("change", world.paused.pk), "Resume"),
    ):
        assert label in alice.get(address).content.decode(), (address, label)


def test_a_super_user_and_an_operator_see_every_page(
    world: World, alice: Client, root: Client
) -> None:
    for address in (*world.pages(), *world.forms()):
        for client in (alice, root):
            assert client.get(address).status_code == 200, address


def test_every_act_of_a_reader_is_refused_and_changes_nothing(world: World, bob: Client) -> None:
    before = world.state()
    for address, data in world.acts():
        assert bob.post(address, data).status_code == 403, address
    for address in world.forms():
        assert bob.get(address).status_code == 403, address
    assert world.state() == before


def test_every_act_needs_a_csrf_token(world: World, alice: Client) -> None:
    strict = without_token(alice)
    before = world.state()
    for address, data in world.acts():
        assert strict.post(address, data).status_code == 403, address
    assert world.state() == before


def test_looking_at_the_address_of_an_act_does_nothing(world: World, alice: Client) -> None:
    before = world.state()
    for name in ("pause", "resume", "cancel", "clone", "unschedule", "test"):
        assert alice.get(to(name, world.paused.pk)).status_code == 405, name
    assert world.state() == before


def test_staff_without_the_permission_see_none_of_it(world: World, carol: Client) -> None:
    for address in (*world.pages(), *world.forms()):
        assert carol.get(address).status_code == 403, address


def test_a_stranger_is_sent_to_the_login(world: World) -> None:
    are_closed_to_strangers((*world.pages(), *world.forms(), *(each for each, _ in world.acts())))


def test_what_is_not_there_is_said_as_404(alice: Client) -> None:
    for name in ("change", "ledger", "rest", "reach", "edit", "send", "resend", "recall"):
        assert alice.get(to(name, uuid7())).status_code == 404, name


def test_permissions_are_told_apart(world: World, account: Callable[..., User]) -> None:
    """Who may write may not send, and who may stop one may not start it."""
    before = world.state()
    for name, permission, address in (
        ("writer", "broadcasts.add_broadcast", to("send", world.draft.pk)),
        ("stopper", "broadcasts.operate_broadcast", to("resume", world.paused.pk)),
        ("sender", "broadcasts.send_broadcast", to("cancel", world.draft.pk)),
        ("sender2", "broadcasts.send_broadcast", to("compose")),
    ):
        client = Client()
        client.force_login(account(name, "broadcasts.view_broadcast", permission, is_staff=True))
        assert client.post(address, {"when": "now", "time_zone": "UTC"}).status_code == 403, name
    assert world.state() == before
