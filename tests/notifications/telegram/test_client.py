"""The client of the Bot API against the sandbox: what it does when all is well."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from notifications.telegram.client import TelegramClient
from notifications.telegram.errors import (
    RequestRefused,
    TextRefused,
)
from notifications.telegram.markup import plain, split
from notifications.telegram.templates import LANGUAGES, preview, registry
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process

CHAT = 500100201


def test_the_bot_tells_who_it_is(telegram: TelegramClient) -> None:
    bot = telegram.get_me()
    assert (bot.id, bot.username) == (7000000001, "sandbox_7000000001_bot")


def test_a_message_arrives_and_its_receipt_comes_back(
    sandbox: Sandbox, telegram: TelegramClient
) -> None:
    before = datetime.now(UTC)
    sent = telegram.send_message(chat_id=CHAT, text="<b>Ends tomorrow</b>\nUser: tom &amp; jerry")
    (message,) = sandbox.messages(CHAT)
    assert message["text"] == "Ends tomorrow\nUser: tom & jerry"
    assert message["message_id"] == sent.message_id
    assert abs(sent.date - before) < timedelta(minutes=1)


def test_what_is_asked_for_travels_and_what_is_not_stays_at_home(
    sandbox: Sandbox, telegram: TelegramClient
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Renew", "url": "https://example.com/"}]]}
    telegram.send_message(
        chat_id=CHAT,
        text="a < b",
        parse_mode=None,
        disable_notification=True,
        reply_markup=keyboard,
    )
    telegram.send_message(chat_id=CHAT, text="b", link_preview=True)
    (second, first) = [json.loads(request["body"]) for request in sandbox.requests()]
    assert first == {
        "chat_id": CHAT,
        "text": "a < b",
        "disable_notification": True,
        "reply_markup": keyboard,
        "link_preview_options": {"is_disabled": True},
    }
    assert second == {"chat_id": CHAT, "text": "b", "parse_mode": "HTML"}


def test_ids_of_64_bits_and_of_groups_are_kept(sandbox: Sandbox, telegram: TelegramClient) -> None:
    for chat_id in (-1001234567890, 4503599627370496):
        telegram.send_message(chat_id=chat_id, text="x")
        assert len(sandbox.messages(chat_id)) == 1


def test_a_document_is_uploaded_once_and_sent_again_by_its_id(
    sandbox: Sandbox, telegram: TelegramClient
) -> None:
    content = "имя;сумма\nтом;5".encode() * 1000
    keyboard = {"inline_keyboard": [[{"text": "Open", "url": "https://example.com/"}]]}
    sent = telegram.send_document(
        chat_id=CHAT,
        document=content,
        filename="отчёт.csv",
        caption="<b>Ноябрь</b>",
        disable_notification=True,
        reply_markup=keyboard,
    )
    again = telegram.send_document(chat_id=CHAT, document=sent.file_id)
    first, second = sandbox.messages(CHAT)
    assert sandbox.document(sent.file_id) == content
    assert (first["document"]["file_name"], first["text"]) == ("отчёт.csv", "Ноябрь")
    assert first["document"]["mime_type"] == "text/csv"
    assert second["document"]["file_id"] == sent.file_id
    assert again.message_id == second["message_id"] != sent.message_id


def test_editing_and_deleting_twice_is_like_doing_it_once(
    sandbox: Sandbox, telegram: TelegramClient
) -> None:
    sent = telegram.send_message(chat_id=CHAT, text="one")
    for _ in range(2):
        telegram.edit_message_text(chat_id=CHAT, message_id=sent.message_id, text="<i>two</i>")
    assert sandbox.messages(CHAT)[0]["text"] == "two"
    for _ in range(2):
        telegram.delete_message(chat_id=CHAT, message_id=sent.message_id)
    with pytest.raises(RequestRefused, match="message to edit not found"):
        telegram.edit_message_text(chat_id=CHAT, message_id=sent.message_id, text="three")


def test_a_webhook_is_set_with_its_secret(sandbox: Sandbox, telegram: TelegramClient) -> None:
    telegram.set_webhook(url="https://example.com/telegram", secret_token="s3cret_-")
    with pytest.raises(RequestRefused, match=r"(?i)https"):
        telegram.set_webhook(url="http://example.com/telegram", secret_token="s3cret_-")
    assert "s3cret" not in str(sandbox.requests())


def test_every_message_of_ours_is_taken(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.limits(enabled=False)
    for name in registry:
        for language in LANGUAGES:
            text = preview(name, language)
            telegram.send_message(chat_id=CHAT, text=text)
            assert sandbox.messages(CHAT)[-1]["text"] == plain(text).strip()


def test_every_part_of_a_long_text_is_taken(sandbox: Sandbox, telegram: TelegramClient) -> None:
    sandbox.limits(enabled=False)
    paragraph = "<b>Заголовок &amp; 👍</b>\n" + "слово <i>дело</i> " * 60 + "\n\n"
    with pytest.raises(TextRefused):
        telegram.send_message(chat_id=CHAT, text=paragraph * 20)
    for part in split(paragraph * 20):
        telegram.send_message(chat_id=CHAT, text=part)
    seen = "".join(message["text"] for message in sandbox.messages(CHAT))
    assert seen.replace("\n", "").replace(" ", "") == "".join(plain(paragraph * 20).split())
