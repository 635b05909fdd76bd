"""Answers that do not tell whether the message was delivered, against the sandbox."""

from typing import Any

import pytest

from notifications.telegram.client import TelegramClient
from notifications.telegram.errors import (
    OutcomeUnknown,
    TelegramUnavailable,
)
from tests.notifications.telegram.conftest import ClientMake
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process

CHAT = 500100201


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
