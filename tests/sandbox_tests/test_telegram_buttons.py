"""Presses of buttons: the update that is posted, the answer of the bot, keyboards that are edited."""

from collections.abc import Iterator

import pytest

from notifications.telegram.client import TelegramClient
from notifications.telegram.errors import RequestRefused
from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.receiver import Receiver

SECRET = "the-secret-of-the-webhook"
KEYS = {
    "inline_keyboard": [
        [{"text": "Ack", "callback_data": "ack:7"}, {"text": "x", "url": "https://x.example"}]
    ]
}


@pytest.fixture
def telegram(sandbox: Sandbox) -> Iterator[TelegramClient]:
    sandbox.limits(enabled=False)
    client = TelegramClient(sandbox.telegram_url, "7000000001:abc", read_timeout_s=10)
    yield client
    client.close()


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    with Receiver() as found:
        sandbox.presses_to(found.url, SECRET)
        yield found


def test_a_press_is_posted_with_the_secret(
    sandbox: Sandbox, telegram: TelegramClient, receiver: Receiver
) -> None:
    sent = telegram.send_message(chat_id=5, text="Hello", reply_markup=KEYS)
    press = sandbox.press(5, "Ack", from_id=9, username="olga")
    (arrival,) = receiver.arrivals
    assert arrival.headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
    query = arrival.content["callback_query"]
    assert (query["data"], query["from"]["id"], query["from"]["username"]) == ("ack:7", 9, "olga")
    assert query["message"]["message_id"] == sent.message_id
    assert query["message"]["reply_markup"] == KEYS
    assert (press["statuses"], press["answer"]) == ([200], None)
    sandbox.press_again(press["id"])
    assert receiver.arrivals[0].body == receiver.arrivals[1].body


def test_a_press_is_answered_once(
    sandbox: Sandbox, telegram: TelegramClient, receiver: Receiver
) -> None:
    telegram.send_message(chat_id=5, text="Hello", reply_markup=KEYS)
    press = sandbox.press(5, "Ack")
    telegram.answer_callback_query(callback_query_id=press["id"], text="Yours")
    telegram.answer_callback_query(callback_query_id=press["id"], text="Too late")
    assert [each["answer"] for each in sandbox.presses()] == ["Yours"]
    telegram.answer_callback_query(callback_query_id="12", text="x")  # too old, which is fine


def test_a_keyboard_is_edited_and_taken_away(
    sandbox: Sandbox, telegram: TelegramClient, receiver: Receiver
) -> None:
    sent = telegram.send_message(chat_id=5, text="Hello", reply_markup=KEYS)
    one = {"inline_keyboard": [[{"text": "Other", "callback_data": "o"}]]}
    for _ in range(2):  # the second changes nothing, which is fine
        telegram.edit_message_reply_markup(chat_id=5, message_id=sent.message_id, reply_markup=one)
    assert sandbox.messages(5)[0]["reply_markup"] == one
    telegram.edit_message_reply_markup(chat_id=5, message_id=sent.message_id)
    assert sandbox.messages(5)[0]["reply_markup"] is None
    assert sandbox.messages(5)[0]["text"] == "Hello"
    with pytest.raises(RequestRefused, match="not found"):
        telegram.edit_message_reply_markup(chat_id=5, message_id=sent.message_id + 99)


def test_what_has_no_button_cannot_be_pressed(
    sandbox: Sandbox, telegram: TelegramClient, receiver: Receiver
) -> None:
    telegram.send_message(chat_id=5, text="Hello")
    with pytest.raises(SandboxFailed, match="no such message"):
        sandbox.press(5, "Ack")
    telegram.send_message(chat_id=5, text="Hello", reply_markup=KEYS)
    with pytest.raises(SandboxFailed, match="it has Ack"):
        sandbox.press(5, "Resolve")
    assert receiver.arrivals == []


def test_a_receiver_that_is_away_is_told_of(sandbox: Sandbox, telegram: TelegramClient) -> None:
    telegram.send_message(chat_id=5, text="Hello", reply_markup=KEYS)
    with pytest.raises(SandboxFailed, match="nobody has said"):
        sandbox.press(5, "Ack")
    sandbox.presses_to("http://127.0.0.1:9/hook", SECRET)
    assert "Error" in str(sandbox.press(5, "Ack")["statuses"])


def test_presses_go_where_set_webhook_says(sandbox: Sandbox, telegram: TelegramClient) -> None:
    telegram.send_message(chat_id=5, text="Hello", reply_markup=KEYS)
    telegram.set_webhook(url="https://127.0.0.1:8443/hook", secret_token=SECRET)
    press = sandbox.press(5, "Ack")
    assert press["statuses"] != [200]  # nobody is there, and it was tried
