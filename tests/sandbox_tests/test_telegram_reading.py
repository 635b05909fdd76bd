"""Reading back: messages by chat, time and id, counters, raw requests, reset, the page."""

import pytest
import requests

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox.telegram.store import Message, MessageStore
from tests.sandbox.telegram.text import format_text
from tests.sandbox_tests.conftest import BOT_ID, CHAT, TOKEN, Bot


def read(sandbox: Sandbox, **query: object) -> list[str]:
    answer = requests.get(
        f"{sandbox.url}/_sandbox/telegram/messages",
        params={name: str(value) for name, value in query.items()},
        timeout=10,
    )
    return [message["text"] for message in answer.json()["messages"]]


def test_messages_are_filtered_by_chat_time_id_and_limit(free_bot: Bot, sandbox: Sandbox) -> None:
    for number in range(4):
        free_bot.send(f"text {number}", chat_id=1 + number % 2)
    messages = sandbox.messages()
    assert read(sandbox) == ["text 0", "text 1", "text 2", "text 3"]
    assert read(sandbox, chat_id=2) == ["text 1", "text 3"]
    assert read(sandbox, limit=2) == ["text 2", "text 3"]
    assert read(sandbox, after_id=messages[0]["message_id"], limit=2) == ["text 1", "text 2"]
    assert read(sandbox, since=messages[2]["received_at"]) == ["text 2", "text 3"]
    assert read(sandbox, after_id=messages[3]["message_id"]) == []
    assert [message["text"] for message in sandbox.messages(1)] == ["text 0", "text 2"]


def test_counters_agree_with_what_happened(free_bot: Bot, sandbox: Sandbox) -> None:
    sandbox.behave(9, "blocked")
    for chat_id in (1, 2, 9):
        free_bot.send(chat_id=chat_id)
    free_bot.post("getMe")
    stats = sandbox.stats()
    assert (stats["received"], stats["delivered"], stats["kept"]) == (4, 2, 2)
    assert stats["by_status"] == {"200": 3, "403": 1}
    assert stats["by_method"] == {"sendmessage": 3, "getme": 1}
    assert sum(second["received"] for second in stats["per_second"]) == 4
    assert sum(second["delivered"] for second in stats["per_second"]) == 2
    assert 1 <= stats["peak_per_s"]["delivered"] <= 2


def test_raw_requests_are_shown_newest_first_and_never_with_the_secret(
    free_bot: Bot, sandbox: Sandbox
) -> None:
    free_bot.send("one")
    free_bot.post("setWebhook", url="https://example.com/", secret_token="hook-secret")
    sandbox.fault(kind="cut_before", times=1)
    with pytest.raises(requests.ConnectionError):
        free_bot.post("getMe")
    cut, webhook, send = sandbox.requests()
    assert (cut["method"], cut["status"], cut["is_cut"], cut["fault"]) == (
        "getMe",
        None,
        True,
        "cut_before",
    )
    assert (webhook["method"], webhook["status"]) == ("setWebhook", 200)
    assert (send["http_method"], send["path"]) == ("POST", f"/bot{BOT_ID}:***/sendMessage")
    assert '"one"' in send["body"]
    shown = str(sandbox.requests())
    assert TOKEN.partition(":")[2] not in shown
    assert "hook-secret" not in shown
    assert [call["method"] for call in sandbox.requests(limit=1)] == ["getMe"]


def test_a_malformed_token_is_masked_as_well(sandbox: Sandbox) -> None:
    requests.get(f"{sandbox.telegram_url}/bot12a:top-secret/getMe", timeout=10)
    requests.get(f"{sandbox.telegram_url}/bot12:top-secret", timeout=10)
    requests.get(f"{sandbox.telegram_url}/bot12%3Atop-secret/getMe", timeout=10)
    assert len(sandbox.requests()) == 3
    assert "top-secret" not in str(sandbox.requests())


def test_a_reset_forgets_everything_but_the_ids(free_bot: Bot, sandbox: Sandbox) -> None:
    before = free_bot.send().json()["result"]["message_id"]
    sandbox.fault(kind="status", status=500)
    sandbox.behave(CHAT, "blocked")
    sandbox.revoke(BOT_ID)
    sandbox.reset("telegram")
    assert (sandbox.messages(), sandbox.faults(), sandbox.requests()) == ([], [], [])
    assert sandbox.stats()["received"] == 0
    assert free_bot.send().json()["result"]["message_id"] > before


@pytest.mark.parametrize("service", ["post-office", 5])
def test_only_a_known_service_can_be_reset(sandbox: Sandbox, service: str) -> None:
    with pytest.raises(SandboxFailed, match="service must be one of telegram"):
        sandbox.reset(service)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/_sandbox/health", 200),
        ("/_sandbox/telegram/messages?limit=x", 400),
        ("/_sandbox/telegram/messages?since=x", 400),
        ("/_sandbox/telegram/chats/12", 200),
        ("/_sandbox/telegram/chats/ivan", 400),
        ("/_sandbox/telegram/documents/none", 404),
        ("/_sandbox/nothing", 404),
        ("/nothing", 404),
    ],
)
def test_pages_and_wrong_questions_have_their_status(
    sandbox: Sandbox, path: str, status: int
) -> None:
    assert requests.get(sandbox.url + path, timeout=10).status_code == status


def test_waiting_gives_the_value_or_says_what_did_arrive(free_bot: Bot, sandbox: Sandbox) -> None:
    free_bot.send("here")
    assert sandbox.wait_for(lambda: sandbox.messages(CHAT))[0]["text"] == "here"
    with pytest.raises(TimeoutError, match="'delivered': 1"):
        sandbox.wait_for(lambda: len(sandbox.messages()) == 2, timeout_s=0.05)


def stored(store: MessageStore, chat_id: int, text: str) -> Message:
    message = Message(
        message_id=store.next_id(),
        chat_id=chat_id,
        bot_id=1,
        method="sendMessage",
        received_at=1.0,
        content=format_text(text, ""),
    )
    store.add(message)
    return message


@pytest.mark.unit
def test_the_oldest_messages_go_when_there_are_too_many() -> None:
    store = MessageStore(keep=3)
    messages = [stored(store, i % 2, f"text {i}") for i in range(10)]
    assert [message.message_id for message in store.read()] == [8, 9, 10]
    assert (store.delivered, store.dropped, len(store)) == (10, 7, 3)
    assert store.find(1, 0, messages[0].message_id) is None
    assert store.find(1, 1, messages[9].message_id) is messages[9]
    assert (len(store._by_chat), len(store._seen)) == (2, 3)


@pytest.mark.unit
def test_the_oldest_messages_go_when_their_texts_weigh_too_much() -> None:
    store = MessageStore(keep_bytes=100_000)
    for number in range(200):
        stored(store, 1, f"{number} " + "я" * 2000)
    assert len(store) < 30
    assert store._bytes <= 100_000
    while len(store):
        store._drop_oldest()
    assert store._bytes == 0


@pytest.mark.unit
def test_equal_texts_weigh_once() -> None:
    store = MessageStore(keep_bytes=100_000)
    for number in range(1000):
        stored(store, number, "я" * 2000)
    assert len(store) == 1000
