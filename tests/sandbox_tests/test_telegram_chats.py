"""How chats behave, one by one and in bulk."""

import pytest

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.conftest import BOT_ID, CHAT, Bot

SUPERGROUP = -1001234567890


@pytest.mark.parametrize(
    ("chat_id", "behaviour", "status", "description"),
    [
        (CHAT, "blocked", 403, "Forbidden: bot was blocked by the user"),
        (CHAT, "deactivated", 403, "Forbidden: user is deactivated"),
        (CHAT, "not_started", 403, "Forbidden: bot can't initiate conversation with a user"),
        (CHAT, "to_bot", 403, "Forbidden: the bot can't send messages to the bot"),
        (CHAT, "not_found", 400, "Bad Request: chat not found"),
        (SUPERGROUP, "kicked", 403, "Forbidden: bot was kicked from the supergroup chat"),
        (-77, "kicked", 403, "Forbidden: bot was kicked from the group chat"),
        (
            -77,
            "no_rights",
            400,
            "Bad Request: not enough rights to send text messages to the chat",
        ),
    ],
)
def test_a_closed_chat_refuses_with_the_words_of_the_contract(
    bot: Bot, sandbox: Sandbox, chat_id: int, behaviour: str, status: int, description: str
) -> None:
    sandbox.behave(chat_id, behaviour)
    answer = bot.send(chat_id=chat_id)
    assert answer.status_code == status
    assert answer.json() == {"ok": False, "error_code": status, "description": description}
    assert sandbox.messages() == []
    sandbox.behave(chat_id, "ok")
    assert bot.send(chat_id=chat_id).status_code == 200


def test_a_migrated_group_names_its_new_id(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.behave(-77, "migrated", migrate_to=SUPERGROUP)
    assert bot.send(chat_id=-77).json() == {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": SUPERGROUP},
    }
    assert bot.send(chat_id=SUPERGROUP).json()["result"]["chat"]["type"] == "supergroup"


def test_a_migrated_group_gets_a_new_id_even_if_none_was_named(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.behave(-77, "migrated")
    parameters = bot.send(chat_id=-77).json()["parameters"]
    assert parameters == {"migrate_to_chat_id": -1000000000077}


def test_a_bot_cannot_write_to_itself(bot: Bot) -> None:
    answer = bot.send(chat_id=BOT_ID)
    assert answer.json()["description"] == "Forbidden: the bot can't send messages to the bot"


def test_the_type_of_a_chat_follows_from_its_id(free_bot: Bot) -> None:
    kinds = [
        free_bot.send(chat_id=chat_id).json()["result"]["chat"]["type"]
        for chat_id in (CHAT, -77, SUPERGROUP)
    ]
    assert kinds == ["private", "group", "supergroup"]


def test_lists_and_ranges_are_set_in_one_call_and_the_latest_word_counts(
    free_bot: Bot, sandbox: Sandbox
) -> None:
    sandbox.behave([3, 4], "deactivated")
    sandbox.behave(range(1, 1_000_000, 2), "blocked")
    sandbox.behave(5, "ok")
    statuses = [free_bot.send(chat_id=chat_id).status_code for chat_id in range(1, 8)]
    assert statuses == [403, 200, 403, 403, 200, 200, 403]
    blocked, deactivated = free_bot.send(chat_id=3), free_bot.send(chat_id=4)
    assert blocked.json()["description"] == "Forbidden: bot was blocked by the user"
    assert deactivated.json()["description"] == "Forbidden: user is deactivated"
    sandbox.reset()
    assert free_bot.send(chat_id=1).status_code == 200


@pytest.mark.parametrize(
    ("chat_id", "behaviour"), [(1, "asleep"), ([1, "x"], "blocked"), ([True], "blocked")]
)
def test_a_behaviour_that_makes_no_sense_is_refused(
    sandbox: Sandbox, chat_id: int, behaviour: str
) -> None:
    with pytest.raises(SandboxFailed, match="must be"):
        sandbox.behave(chat_id, behaviour)
