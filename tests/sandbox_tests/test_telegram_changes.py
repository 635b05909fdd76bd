"""Editing, deleting, and the webhook settings."""

from typing import Any

import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox.telegram.errors import ApiError
from tests.sandbox.telegram.params import Parameters
from tests.sandbox.telegram.webhook import WebhookBook
from tests.sandbox_tests.conftest import BOT_ID, CHAT, Bot


def sent(bot: Bot, **more: Any) -> int:
    message_id: int = bot.send("before", **more).json()["result"]["message_id"]
    return message_id


def test_an_edited_message_keeps_its_id_and_shows_the_new_text(
    free_bot: Bot, sandbox: Sandbox
) -> None:
    message_id = sent(free_bot)
    answer = free_bot.post(
        "editMessageText",
        chat_id=CHAT,
        message_id=message_id,
        text="<b>after</b>",
        parse_mode="HTML",
    ).json()["result"]
    assert (answer["message_id"], answer["text"]) == (message_id, "after")
    assert answer["edit_date"] >= answer["date"]
    (message,) = sandbox.messages()
    assert (message["text"], message["message_id"]) == ("after", message_id)
    assert message["edited_at"] is not None


def test_an_edit_that_changes_nothing_is_refused(free_bot: Bot) -> None:
    message_id = sent(free_bot)
    answer = free_bot.post("editMessageText", chat_id=CHAT, message_id=message_id, text=" before ")
    assert answer.status_code == 400
    assert answer.json()["description"].startswith("Bad Request: message is not modified: ")


def test_a_new_keyboard_alone_is_a_change(free_bot: Bot) -> None:
    message_id = sent(free_bot)
    keyboard = {"inline_keyboard": [[{"text": "Open", "callback_data": "open"}]]}
    answer = free_bot.post(
        "editMessageText",
        chat_id=CHAT,
        message_id=message_id,
        text="before",
        reply_markup=keyboard,
    )
    assert answer.json()["result"]["reply_markup"] == keyboard


def test_a_deleted_message_stays_readable_but_is_gone_for_the_bot(
    free_bot: Bot, sandbox: Sandbox
) -> None:
    message_id = sent(free_bot)
    assert free_bot.post("deleteMessage", chat_id=CHAT, message_id=message_id).json() == {
        "ok": True,
        "result": True,
    }
    again = free_bot.post("deleteMessage", chat_id=CHAT, message_id=message_id)
    assert again.json()["description"] == "Bad Request: message to delete not found"
    (message,) = sandbox.messages()
    assert message["text"] == "before"
    assert message["deleted_at"] is not None


@pytest.mark.parametrize(
    ("method", "parameters", "description"),
    [
        ("editMessageText", {"text": "x"}, "message identifier is not specified"),
        ("editMessageText", {"text": "x", "message_id": 10**9}, "message to edit not found"),
        ("editMessageText", {"message_id": 1}, "message text is empty"),
        ("deleteMessage", {"message_id": 10**9}, "message to delete not found"),
        ("deleteMessage", {}, "message identifier is not specified"),
    ],
)
def test_a_message_that_is_not_there_cannot_be_changed(
    bot: Bot, method: str, parameters: dict[str, Any], description: str
) -> None:
    answer = bot.post(method, chat_id=CHAT, **parameters)
    assert answer.json()["description"] == f"Bad Request: {description}"


def test_a_bot_cannot_touch_the_message_of_another(free_bot: Bot) -> None:
    message_id = sent(free_bot)
    free_bot.token = f"{BOT_ID + 1}:abc"
    answer = free_bot.post("deleteMessage", chat_id=CHAT, message_id=message_id)
    assert answer.json()["description"] == "Bad Request: message to delete not found"


def test_a_webhook_is_set_shown_and_deleted(free_bot: Bot) -> None:
    url = "https://example.com:8443/hook"
    free_bot.post("setWebhook", url=url, allowed_updates=["message", "my_chat_member"])
    again = free_bot.post("setWebhook", url=url, allowed_updates=["message", "my_chat_member"])
    assert again.json()["description"] == "Webhook is already set"
    assert free_bot.post("getWebhookInfo").json()["result"] == {
        "url": url,
        "has_custom_certificate": False,
        "pending_update_count": 0,
        "max_connections": 40,
        "allowed_updates": ["message", "my_chat_member"],
    }
    assert free_bot.post("deleteWebhook").json()["description"] == "Webhook was deleted"
    assert free_bot.post("deleteWebhook").json()["description"] == "Webhook is already deleted"
    assert free_bot.post("getWebhookInfo").json()["result"]["url"] == ""


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        (
            {"url": "http://example.com/"},
            "bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            {"url": "https://example.com:8080/"},
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        (
            {"url": "https://example.com/", "secret_token": "no spaces"},
            "secret token contains unallowed characters",
        ),
        (
            {"url": "https://example.com/", "secret_token": "s" * 257},
            "secret token is too long",
        ),
    ],
)
def test_a_webhook_that_telegram_would_not_call_is_refused(
    bot: Bot, parameters: dict[str, Any], description: str
) -> None:
    answer = bot.post("setWebhook", **parameters)
    assert answer.json()["description"] == f"Bad Request: {description}"


@pytest.mark.unit
def test_a_second_webhook_within_a_second_is_too_many() -> None:
    book = WebhookBook()

    def set_to(url: str, now: float) -> tuple[bool, str]:
        return book.set(BOT_ID, Parameters({"url": url}), now, is_limited=True)

    set_to("https://example.com/1", 100.0)
    with pytest.raises(ApiError, match="Too Many Requests: retry after 1"):
        set_to("https://example.com/2", 100.9)
    assert set_to("https://example.com/2", 101.0) == (True, "Webhook was set")
