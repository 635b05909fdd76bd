"""What sendMessage refuses, where its limits lie, and that its ids grow."""

from typing import Any

import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.conftest import BOT_ID, CHAT, Bot


def refused(bot: Bot, **parameters: Any) -> tuple[int, str]:
    answer = bot.post("sendMessage", **parameters)
    assert answer.json().keys() >= {"ok", "error_code", "description"}
    assert answer.json()["error_code"] == answer.status_code
    return answer.status_code, answer.json()["description"]


def test_ids_grow_and_each_message_is_recorded_once(free_bot: Bot, sandbox: Sandbox) -> None:
    ids = [free_bot.send(f"text {i}").json()["result"]["message_id"] for i in range(5)]
    assert ids == sorted(set(ids))
    assert [message["message_id"] for message in sandbox.messages(CHAT)] == ids


def test_a_record_tells_all_but_the_secret(bot: Bot, sandbox: Sandbox) -> None:
    sent = bot.send("<b>hi</b> &amp; bye", parse_mode="HTML").json()["result"]
    (message,) = sandbox.messages()
    assert message["message_id"] == sent["message_id"]
    assert (message["chat_id"], message["bot_id"]) == (CHAT, BOT_ID)
    assert (message["text"], message["raw_text"]) == ("hi & bye", "<b>hi</b> &amp; bye")
    assert message["parse_mode"] == "html"
    assert int(message["received_at"]) == sent["date"]
    assert message["received_at_iso"].endswith("+00:00")
    assert bot.token.partition(":")[2] not in str(message)


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({"text": "x"}, "chat_id is empty"),
        ({"text": "x", "chat_id": ""}, "chat_id is empty"),
        ({"text": "x", "chat_id": "@somebody"}, "chat not found"),
        ({"text": "x", "chat_id": "12a"}, "chat not found"),
        ({"text": "x", "chat_id": 0}, "chat not found"),
        ({"text": "x", "chat_id": str(2**63)}, "chat not found"),
        ({"chat_id": CHAT}, "message text is empty"),
        ({"chat_id": CHAT, "text": ""}, "message text is empty"),
        ({"chat_id": CHAT, "text": None}, "message text is empty"),
        ({"chat_id": CHAT, "text": "  \n "}, "text must be non-empty"),
        ({"chat_id": CHAT, "text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
        ({"chat_id": CHAT, "text": "x", "parse_mode": "bb"}, "unsupported parse_mode"),
        ({"chat_id": CHAT, "text": "x" * 4097}, "message is too long"),
        ({"chat_id": CHAT, "text": "x" * 32769}, "text is too long"),
        ({"chat_id": CHAT, "text": "я" * 16385}, "text is too long"),
        ({"chat_id": CHAT, "text": "x", "reply_markup": "{"}, "can't parse reply keyboard"),
        ({"chat_id": CHAT, "text": "x", "reply_markup": [1]}, "object expected as reply markup"),
        (
            {"chat_id": CHAT, "text": "x", "link_preview_options": "[]"},
            "object expected as link preview options",
        ),
        (
            {"chat_id": CHAT, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "a"}]]}},
            "can't parse inline keyboard button: Text buttons are unallowed",
        ),
        (
            {
                "chat_id": CHAT,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "d" * 65}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
        (
            {
                "chat_id": CHAT,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "a", "url": "localhost"}]]},
            },
            "inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL",
        ),
        ({"chat_id": CHAT, "text": "x", "entities": [{"type": "bold"}]}, "can't parse"),
    ],
)
def test_a_message_that_cannot_be_is_refused_and_not_recorded(
    bot: Bot, sandbox: Sandbox, parameters: dict[str, Any], description: str
) -> None:
    status, words = refused(bot, **parameters)
    assert status == 400
    assert words.startswith(f"Bad Request: {description}")
    assert sandbox.messages() == []


def test_the_length_counts_code_points_after_parsing(free_bot: Bot) -> None:
    rockets = "\U0001f680" * 4096
    assert len(free_bot.send(rockets).json()["result"]["text"]) == 4096
    marked = "<b>" + "x" * 4096 + "</b>"
    assert free_bot.send(marked, parse_mode="HTML").status_code == 200
    assert free_bot.send(marked).status_code == 400


def test_escaping_may_make_a_raw_text_longer_than_the_limit(free_bot: Bot) -> None:
    result = free_bot.send("&amp;" * 4096, parse_mode="HTML").json()["result"]
    assert result["text"] == "&" * 4096
    answer = free_bot.send("&amp;" * 4097, parse_mode="HTML")
    assert answer.json()["description"] == "Bad Request: message is too long"


def test_bad_markup_says_where(bot: Bot) -> None:
    answer = bot.send(
        "<b>Subscription ends tomorrow</b>\nUser: tom & jerry <tj>", parse_mode="HTML"
    )
    assert answer.json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: can't parse entities: "
        'Unsupported start tag "tj" at byte offset 52',
    }


def test_a_repeated_text_in_a_chat_counts_as_a_duplicate(free_bot: Bot, sandbox: Sandbox) -> None:
    for chat_id in (1, 1, 2):
        free_bot.send("same", chat_id=chat_id)
    free_bot.send("other", chat_id=1)
    stats = sandbox.stats()
    assert stats["duplicates"] == 1
    assert stats["duplicate_messages"] == [{"chat_id": 1, "text": "same", "count": 2}]
