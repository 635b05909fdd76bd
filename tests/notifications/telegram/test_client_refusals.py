"""What Telegram refuses, against the sandbox: for good, or for now."""

from datetime import timedelta

import pytest

from notifications.telegram.client import TelegramClient
from notifications.telegram.errors import (
    BotUnauthorized,
    ChatMigrated,
    ChatUnreachable,
    RateLimited,
    RequestRefused,
    TelegramUnavailable,
    TextRefused,
)
from tests.notifications.telegram.conftest import ClientMake
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process

CHAT = 500100201


@pytest.mark.parametrize(
    "behaviour", ["blocked", "deactivated", "not_started", "not_found", "kicked", "to_bot"]
)
def test_a_closed_chat_is_told_with_its_reason(
    sandbox: Sandbox, telegram: TelegramClient, behaviour: str
) -> None:
    sandbox.behave(CHAT, behaviour)
    with pytest.raises(ChatUnreachable) as caught:
        telegram.send_message(chat_id=CHAT, text="x")
    assert caught.value.reason == behaviour
    assert sandbox.messages(CHAT) == []


def test_a_migrated_group_tells_its_new_id(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.behave(-42, "migrated", migrate_to=-1000000000042)
    with pytest.raises(ChatMigrated) as caught:
        telegram.send_message(chat_id=-42, text="x")
    telegram.send_message(chat_id=caught.value.new_chat_id, text="x")
    assert len(sandbox.messages(-1000000000042)) == 1


def test_a_group_without_rights_refuses(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.behave(-43, "no_rights")
    with pytest.raises(RequestRefused, match="not enough rights"):
        telegram.send_message(chat_id=-43, text="x")


@pytest.mark.parametrize(
    ("text", "reason"), [("<p>x</p>", "cannot_parse"), ("x" * 4097, "too_long"), (" \n", "empty")]
)
def test_a_bad_text_is_told_with_its_reason(
    telegram: TelegramClient, text: str, reason: str
) -> None:
    with pytest.raises(TextRefused) as caught:
        telegram.send_message(chat_id=CHAT, text=text)
    assert caught.value.reason == reason


def test_a_caption_that_is_too_long_is_a_bad_text(telegram: TelegramClient) -> None:
    with pytest.raises(TextRefused) as caught:
        telegram.send_document(chat_id=CHAT, document=b"x", caption="x" * 1025)
    assert caught.value.reason == "too_long"


@pytest.mark.parametrize("token", ["7000000001:revoked-x", "no-token"])
def test_a_token_that_is_not_taken_stops_the_bot(telegram_make: ClientMake, token: str) -> None:
    client = telegram_make(token)
    with pytest.raises(BotUnauthorized):
        client.get_me()
    with pytest.raises(BotUnauthorized):
        client.send_message(chat_id=CHAT, text="x")


@pytest.mark.parametrize("token", ["a b", "1:x/../2:y", "1:x?y", "1:x\n"])
def test_a_token_that_would_change_the_address_is_refused_at_once(token: str) -> None:
    with pytest.raises(ValueError, match="no token has"):
        TelegramClient("http://127.0.0.1:1", token)


def test_a_rate_limit_tells_how_long_to_wait(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.fault(kind="rate_limit", retry_after=7, times=1)
    with pytest.raises(RateLimited) as caught:
        telegram.send_message(chat_id=CHAT, text="x")
    assert caught.value.retry_after == timedelta(seconds=7)


def test_a_flood_in_one_chat_is_limited(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.limits(chat_per_s=0.01, chat_burst=2)
    for _ in range(2):
        telegram.send_message(chat_id=CHAT, text="x")
    with pytest.raises(RateLimited) as caught:
        telegram.send_message(chat_id=CHAT, text="x")
    assert caught.value.retry_after > timedelta(seconds=50)


def test_a_restarting_server_delivered_nothing(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.fault(kind="status", status=500, times=1)
    with pytest.raises(TelegramUnavailable, match="restart"):
        telegram.send_message(chat_id=CHAT, text="x")
    assert sandbox.messages() == []
    telegram.send_message(chat_id=CHAT, text="x")


def test_a_server_that_is_not_there_got_nothing(
    telegram_make: ClientMake, refused_port: int
) -> None:
    client = telegram_make(base_url=f"http://127.0.0.1:{refused_port}")
    with pytest.raises(TelegramUnavailable, match="connection refused"):
        client.send_message(chat_id=CHAT, text="x")
    with pytest.raises(TelegramUnavailable):
        client.get_me()
