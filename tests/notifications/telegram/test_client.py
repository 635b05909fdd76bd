"""The client of the Bot API against the sandbox: a real process, real sockets, faults to order."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications.telegram.client import TelegramClient
from notifications.telegram.errors import (
    BotUnauthorized,
    ChatMigrated,
    ChatUnreachable,
    OutcomeUnknown,
    RateLimited,
    RequestRefused,
    TelegramError,
    TelegramUnavailable,
    TextRefused,
)
from notifications.telegram.markup import plain, split
from notifications.telegram.templates import LANGUAGES, preview, registry
from tests.notifications.telegram.conftest import TOKEN, ClientMake
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process

CHAT = 500100201
SECRET = TOKEN.partition(":")[2]


# Done


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


# Refused


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


# Later


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


# Nobody can know


@pytest.mark.parametrize(
    ("fault", "delivered"),
    [
        ({"kind": "status", "status": 502}, 0),
        ({"kind": "status", "status": 502, "record": True}, 1),
        ({"kind": "status", "status": 503}, 0),
        ({"kind": "status", "status": 504, "record": True}, 1),
        ({"kind": "html_502"}, 0),
        ({"kind": "html_502", "record": True}, 1),
        ({"kind": "cut_before"}, 0),
        ({"kind": "cut_after"}, 1),
        ({"kind": "down", "for_s": 60}, 0),
    ],
    ids=str,
)
def test_an_answer_that_does_not_tell_leaves_the_outcome_unknown(
    sandbox: Sandbox, telegram: TelegramClient, fault: dict[str, Any], delivered: int
) -> None:
    sandbox.fault(**fault)
    with pytest.raises(OutcomeUnknown):
        telegram.send_message(chat_id=CHAT, text="x")
    assert len(sandbox.messages()) == delivered
    assert sandbox.stats()["received"] == 1, "the client tried once"


def test_an_answer_that_comes_too_late_leaves_the_outcome_unknown(
    sandbox: Sandbox, telegram_make: ClientMake
) -> None:
    sandbox.fault(kind="latency", latency_ms=5000)
    with pytest.raises(OutcomeUnknown, match="no answer in time"):
        telegram_make(read_timeout_s=0.2).send_message(chat_id=CHAT, text="x")
    assert len(sandbox.messages(CHAT)) == 1


def test_a_pooled_connection_that_is_cut_leaves_the_outcome_unknown(
    sandbox: Sandbox, telegram: TelegramClient
) -> None:
    telegram.send_message(chat_id=CHAT, text="one")
    sandbox.fault(kind="cut_after", times=1)
    with pytest.raises(OutcomeUnknown):
        telegram.send_message(chat_id=CHAT, text="two")
    telegram.send_message(chat_id=CHAT, text="three")
    assert [message["text"] for message in sandbox.messages(CHAT)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "body",
    [
        {"ok": True},
        {"ok": True, "result": True},
        {"ok": True, "result": {"message_id": 1, "date": "now"}},
        "<html>Welcome</html>",
    ],
    ids=str,
)
def test_a_success_without_a_receipt_leaves_the_outcome_unknown(
    sandbox: Sandbox, telegram: TelegramClient, body: Any
) -> None:
    sandbox.fault(kind="status", status=200, body=body)
    with pytest.raises(OutcomeUnknown):
        telegram.send_message(chat_id=CHAT, text="x")
    with pytest.raises(OutcomeUnknown):
        telegram.send_document(chat_id=CHAT, document=b"x")


@pytest.mark.parametrize("fault", [{"kind": "cut_after"}, {"kind": "html_502"}], ids=str)
def test_asking_who_we_are_has_no_outcome_to_be_unknown(
    sandbox: Sandbox, telegram: TelegramClient, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault)
    with pytest.raises(TelegramUnavailable):
        telegram.get_me()


def test_a_page_of_somebody_in_between_is_not_an_answer_of_telegram(
    sandbox: Sandbox, telegram: TelegramClient
) -> None:
    sandbox.fault(kind="status", status=403, body="<html>blocked by order</html>")
    with pytest.raises(TelegramUnavailable):
        telegram.send_message(chat_id=CHAT, text="x")


# The token


def every_text(exc: BaseException | None) -> Iterator[str]:
    while exc is not None:
        yield f"{exc!r} {exc} {exc.args} {vars(exc)}"
        exc = exc.__cause__ or exc.__context__


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 400, "body": f'{{"ok":false,"description":"/bot{TOKEN}/x"}}'},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 500},
        {"kind": "html_502"},
        {"kind": "rate_limit"},
        {"kind": "cut_before"},
        {"kind": "latency", "latency_ms": 5000},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}",
)
def test_the_token_is_in_no_error_and_no_log(
    sandbox: Sandbox,
    telegram_make: ClientMake,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    sandbox.fault(**fault)
    client = telegram_make(read_timeout_s=0.5)
    with pytest.raises(TelegramError) as caught:
        client.send_message(chat_id=CHAT, text="x")
    logged = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert any("sendMessage" in line for line in logged)
    for text in [*every_text(caught.value), *logged, repr(client)]:
        assert SECRET not in text


def test_a_server_that_is_not_there_does_not_learn_the_token_to_the_log(
    telegram_make: ClientMake, refused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    client = telegram_make(base_url=f"http://127.0.0.1:{refused_port}")
    with pytest.raises(TelegramUnavailable) as caught:
        client.send_message(chat_id=CHAT, text="x")
    for text in [*every_text(caught.value), caplog.text]:
        assert SECRET not in text


def test_a_call_is_logged_and_observed_by_its_method_not_by_its_path(
    telegram_make: ClientMake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="lib.http")
    seen: list[Any] = []
    telegram_make(observe=seen.append).get_me()
    assert [(call.service, call.path, call.status) for call in seen] == [("telegram", "getMe", 200)]
    (record,) = [record for record in caplog.records if record.name == "lib.http"]
    assert vars(record)["path"] == "getMe"
