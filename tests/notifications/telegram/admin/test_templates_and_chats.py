"""The pages of our own messages, and of chats."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from notifications.telegram.models import Chat
from notifications.telegram.templates import LANGUAGES, registry
from tests.notifications.telegram.admin.ways import html, said, text, to
from tests.notifications.telegram.rows import ago, message_make

pytestmark = pytest.mark.django_db

CHATS = "/admin/telegram/chat/"


def chat_page(chat_id: int) -> str:
    return reverse("admin:telegram_chat_change", args=[chat_id])


def test_every_message_is_previewed_in_every_language(alice: Client) -> None:
    answer = alice.get(to("templates"))
    shown = {one["name"]: one for one in answer.context["templates"]}
    assert shown.keys() == registry.keys()
    for one in shown.values():
        assert [each["language"] for each in one["previews"]] == list(LANGUAGES)
        for each in one["previews"]:
            assert each["preview"].error == ""
            assert 0 < each["preview"].length <= 4096
    assert html(answer).count("tg-bubble") == len(registry) * len(LANGUAGES)


def test_the_templates_cost_no_query_of_their_own(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    assert queries(alice, to("templates")) <= 4


def test_chats_that_cannot_be_reached_are_listed_latest_first(alice: Client) -> None:
    for number in range(60):
        Chat.objects.create(
            chat_id=1000 + number, unreachable_since=ago(number * 60),
            unreachable_reason="blocked" if number else "not_found",
        )  # fmt: skip
    Chat.objects.create(chat_id=7, last_sent_at=ago(1))
    answer = alice.get(CHATS)
    assert [row.pk for row in answer.context["chats"]] == list(range(1000, 1050))
    assert "The person has blocked the bot." in text(answer)
    rest = alice.get(CHATS, {"start": answer.context["following"]})
    assert [row.pk for row in rest.context["chats"]] == list(range(1050, 1060))
    assert [row.pk for row in alice.get(CHATS, {"reason": "not_found"}).context["chats"]] == [1000]


@pytest.mark.parametrize("query", [{"start": "x"}, {"start": "-5"}, {"reason": "' OR 1=1"}])
def test_a_strange_address_is_an_ordinary_page(alice: Client, query: dict[str, str]) -> None:
    assert "Every chat can be reached" in text(alice.get(CHATS, query))


def test_a_chat_is_found_by_its_id(alice: Client) -> None:
    Chat.objects.create(chat_id=-100500)
    message_make(8)
    for number in (-100500, 8):
        answer = alice.get(CHATS, {"q": f" {number} "})
        assert answer.headers["Location"] == chat_page(number)
    answer = alice.get(CHATS, {"q": "9"}, follow=True)
    assert said(answer) == ["Nothing is known of a chat 9."]


def test_the_page_of_a_chat_says_what_is_known(alice: Client) -> None:
    Chat.objects.create(chat_id=500, unreachable_since=ago(60), unreachable_reason="deactivated")
    message_make(500, "A text")
    shown = text(alice.get(chat_page(500)))
    assert "The account of the person is gone." in shown
    assert "A text" in shown
    Chat.objects.create(chat_id=-5, migrated_to=-1005)
    assert chat_page(-1005) in html(alice.get(chat_page(-5)))


def test_a_chat_that_was_never_sent_to_has_a_page(alice: Client) -> None:
    message_make(600)
    assert "Nothing was sent to this chat yet." in text(alice.get(chat_page(600)))
