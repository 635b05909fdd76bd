"""Buttons under a message: checked before it is queued, passed on as they are."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from jobs import sql
from notifications.telegram.keyboards import (
    KeyboardInvalid,
    keyboard,
    keyboard_check,
    link,
    press,
)
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import message_queue
from tests.notifications.telegram.rows import fresh, lane_run
from tests.sandbox.fixture import Sandbox

KEYS = {"inline_keyboard": [[{"text": "Ack", "callback_data": "ack:7"}]]}


def test_rows_without_a_button_are_left_out() -> None:
    made = keyboard([press("A", "a"), press("B", "b")], [], [link("C", "https://c.example/")])
    assert [[each["text"] for each in row] for row in made["inline_keyboard"]] == [
        ["A", "B"],
        ["C"],
    ]


@pytest.mark.parametrize(
    "markup",
    [
        None,
        [],
        {},
        {"keyboard": []},
        {"inline_keyboard": [], "more": 1},
        {"inline_keyboard": {}},
        {"inline_keyboard": [[]]},
        {"inline_keyboard": [["x"]]},
        {"inline_keyboard": [[{"text": "x"}]]},
        {"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]},
        {"inline_keyboard": [[{"text": "x" * 65, "callback_data": "x"}]]},
        {"inline_keyboard": [[{"text": "x", "callback_data": ""}]]},
        {"inline_keyboard": [[{"text": "x", "callback_data": "ü" * 33}]]},
        {"inline_keyboard": [[{"text": "x", "callback_data": 7}]]},
        {"inline_keyboard": [[{"text": "x", "url": "javascript:alert(1)"}]]},
        {"inline_keyboard": [[{"text": "x", "url": "http://["}]]},
        {"inline_keyboard": [[{"text": "x", "url": "https://x.example", "callback_data": "x"}]]},
        {"inline_keyboard": [[press("x", "x")] * 9]},
        {"inline_keyboard": [[press("x", "x")]] * 101},
    ],
)
def test_what_telegram_would_refuse_is_refused_before_it_is_queued(markup: Any) -> None:
    with pytest.raises(KeyboardInvalid):
        keyboard_check(markup)
    if markup is not None:
        with pytest.raises(KeyboardInvalid):
            message_queue(telegram_id=5, message="x", reply_markup=markup)


def test_a_queued_message_arrives_with_its_buttons(bot: Sandbox) -> None:
    row, _ = message_queue(telegram_id=5, message="x", reply_markup=KEYS)
    lane_run()
    assert fresh(row).status == "sent"
    assert bot.messages(5)[0]["reply_markup"] == KEYS


@pytest.mark.parametrize("markup", ['"text"', "[]", "null", "7"])
def test_what_another_backend_writes_there_by_mistake_is_left_out(
    bot: Sandbox, markup: str
) -> None:
    sql.run(
        "INSERT INTO notification_queue (telegram_id, message, reply_markup) VALUES (5, 'x', %s)",
        [markup],
    )
    lane_run()
    assert QueuedMessage.objects.get().status == "sent"
    assert bot.messages(5)[0]["reply_markup"] is None


def test_a_backend_may_send_buttons_over_rest(account: Any) -> None:
    client = APIClient()
    client.force_authenticate(account("shop", "telegram.send_message"))
    given = {"telegram_id": 5, "message": "x", "reply_markup": KEYS}
    answer = client.post("/api/v1/telegram/messages", given, format="json")
    assert answer.status_code == 202
    assert fresh(answer.json()["id"]).reply_markup == KEYS
    for changes in ({"reply_markup": {"inline_keyboard": [[{"text": "x"}]]}}, {"mode": "now"}):
        refused = client.post("/api/v1/telegram/messages", {**given, **changes}, format="json")
        assert refused.status_code == 422
