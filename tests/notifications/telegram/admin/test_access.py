"""Who may see and do what: readers see every page without a button, acts are refused on the server."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import AuditEntry
from notifications.telegram.models import Chat, QueuedMessage
from tests.console import are_closed_to_strangers, without_token
from tests.notifications.telegram.admin.ways import page_of, to
from tests.notifications.telegram.rows import message_make


class World:
    """One of everything, and the addresses of all pages and acts."""

    def __init__(self) -> None:
        self.failed = message_make(500, status="failed", reason="blocked", attempts=1)
        self.waiting = message_make(500)
        Chat.objects.create(chat_id=500)

    def pages(self) -> list[str]:
        return [
            to(),
            to("lane"),
            to("templates"),
            page_of(self.failed),
            page_of(self.waiting),
            page_of(self.waiting, "live"),
            reverse("admin:telegram_chat_changelist"),
            reverse("admin:telegram_chat_change", args=["500"]),
        ]

    def acts(self) -> list[tuple[str, dict[str, str]]]:
        return [
            (page_of(self.failed, "retry"), {}),
            (page_of(self.waiting, "cancel"), {}),
            (to("act"), {"action": "retry", "id": str(self.failed.pk)}),
            (to("compose"), {"go": "queue", "message": "x", "telegram_id": "7", "priority": "2"}),
            (to("compose"), {"go": "test", "message": "x", "priority": "2"}),
            (to("compose_preview"), {"message": "x"}),
        ]

    def state(self) -> list[Any]:
        """Everything that an act could have changed."""
        return [list(QueuedMessage.objects.order_by("id").values()), AuditEntry.objects.count()]


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


def test_an_operator_finds_buttons_where_the_reader_finds_none(world: World, alice: Client) -> None:
    for address, label in (
        (page_of(world.failed), "Retry the message"),
        (page_of(world.waiting), "Cancel the message"),
        (to(state="failed"), "with all that match"),
        (to(), "Write a message"),
        (to("templates"), "Use its text"),
        (reverse("admin:telegram_chat_change", args=["500"]), "Write to this chat"),
    ):
        assert label in alice.get(address).content.decode(), address


def test_every_act_of_a_reader_is_refused_and_changes_nothing(world: World, bob: Client) -> None:
    before = world.state()
    for address, data in world.acts():
        assert bob.post(address, data).status_code == 403, address
    assert world.state() == before


def test_forms_and_dry_runs_are_not_for_readers_either(world: World, bob: Client) -> None:
    assert bob.get(to("compose")).status_code == 403
    assert bob.get(to("act", action="retry", scope="matching", state="failed")).status_code == 403


def test_every_act_needs_a_csrf_token(world: World, alice: Client) -> None:
    strict = without_token(alice)
    before = world.state()
    for address, data in world.acts():
        assert strict.post(address, data).status_code == 403, address
    assert world.state() == before


def test_looking_at_the_address_of_an_act_does_nothing(world: World, alice: Client) -> None:
    before = world.state()
    assert alice.get(page_of(world.failed, "retry")).status_code == 405
    assert alice.get(page_of(world.waiting, "cancel")).status_code == 405
    assert world.state() == before


def test_staff_without_the_permission_see_none_of_it(world: World, carol: Client) -> None:
    for address in world.pages():
        assert carol.get(address).status_code == 403, address


def test_a_stranger_is_sent_to_the_login(world: World) -> None:
    are_closed_to_strangers(world.pages())


@pytest.mark.parametrize("number", [404, 2**63, 10**30])
def test_what_is_not_there_is_said_as_404(alice: Client, number: int) -> None:
    assert alice.get(f"{to()}{number}/change/").status_code == 404
    assert (
        alice.get(f"{reverse('admin:telegram_chat_changelist')}{number}/change/").status_code == 404
    )


def test_rows_are_neither_added_nor_edited_nor_deleted_by_hand(world: World, alice: Client) -> None:
    for page in ("add/", f"{world.failed.pk}/delete/"):
        assert alice.get(f"{to()}{page}").status_code == 404
    assert alice.post(page_of(world.failed), {"message": "other"}).status_code in {200, 405}
    assert QueuedMessage.objects.get(pk=world.failed.pk).message == world.failed.message
