"""The token of the bot appears nowhere, whatever goes wrong."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from notifications.telegram.errors import (
    TelegramError,
    TelegramUnavailable,
)
from tests.notifications.telegram.conftest import TOKEN, ClientMake
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process

CHAT = 500100201
SECRET = TOKEN.partition(":")[2]


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
