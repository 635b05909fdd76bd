"""Every way to call, and the shape of every answer, against the samples of the contract."""

import json
from typing import Any

import pytest
import requests

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.conftest import BOT_ID, CHAT, TOKEN, Bot

GET_ME = {
    "id": 7000000001,
    "is_bot": True,
    "first_name": "Example VPN",
    "username": "example_vpn_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_guest_queries": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
    "has_topics_enabled": False,
    "allows_users_to_create_topics": False,
    "can_manage_bots": False,
    "supports_join_request_queries": False,
}
SENDER = {
    "id": 7000000001,
    "is_bot": True,
    "first_name": "Example VPN",
    "username": "example_vpn_bot",
}
PRIVATE_CHAT = {"id": 500100201, "first_name": "Ivan", "username": "ivan_p", "type": "private"}
SEND_MESSAGE_REQUEST = {
    "chat_id": 500100201,
    "text": "<b>Subscription ends tomorrow</b>\nUser: tom &amp; jerry &lt;tj&gt;",
    "parse_mode": "HTML",
    "link_preview_options": {"is_disabled": True},
    "disable_notification": False,
}
SEND_MESSAGE = {
    "message_id": 40211,
    "from": SENDER,
    "chat": PRIVATE_CHAT,
    "date": 1795176000,
    "text": "Subscription ends tomorrow\nUser: tom & jerry <tj>",
    "entities": [{"offset": 0, "length": 26, "type": "bold"}],
    "link_preview_options": {"is_disabled": True},
}
SEND_DOCUMENT = {
    "message_id": 40212,
    "from": SENDER,
    "chat": PRIVATE_CHAT,
    "date": 1795176001,
    "document": {
        "file_name": "report.csv",
        "mime_type": "text/csv",
        "file_id": "BQACAgIAAxkDAAIBSampleFileIdentifier",
        "file_unique_id": "AgADSampleUniq",
        "file_size": 10240,
    },
    "caption": "Report for November",
}


def shape(value: Any) -> Any:
    """Keys and types, without the values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value)


def test_get_me_has_the_shape_of_the_sample(bot: Bot) -> None:
    answer = bot.post("getMe")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert shape(answer.json()) == shape({"ok": True, "result": GET_ME})
    assert answer.json()["result"]["id"] == BOT_ID


def test_send_message_has_the_shape_of_the_sample(bot: Bot) -> None:
    answer = bot.post("sendMessage", **SEND_MESSAGE_REQUEST).json()
    assert shape(answer) == shape({"ok": True, "result": SEND_MESSAGE})
    for name in ("text", "entities", "link_preview_options"):
        assert answer["result"][name] == SEND_MESSAGE[name]


def test_a_plain_text_has_neither_entities_nor_preview_options(bot: Bot) -> None:
    result = bot.send("<b>as it is</b>").json()["result"]
    assert set(result) == {"message_id", "from", "chat", "date", "text"}
    assert result["text"] == "<b>as it is</b>"


def test_send_document_has_the_shape_of_the_sample(bot: Bot, sandbox: Sandbox) -> None:
    answer = bot.http.post(
        bot.url("sendDocument"),
        data={"chat_id": CHAT, "caption": "Report for November"},
        files={"document": ("report.csv", b"a,b\n1,2\n", "text/csv")},
        timeout=10,
    ).json()
    assert shape(answer) == shape({"ok": True, "result": SEND_DOCUMENT})
    document = answer["result"]["document"]
    assert (document["file_name"], document["file_size"]) == ("report.csv", 8)
    assert sandbox.document(document["file_id"]) == b"a,b\n1,2\n"


def test_a_document_can_be_sent_again_by_its_file_id(bot: Bot) -> None:
    files = {"document": ("a.txt", b"x", "text/plain")}
    first = bot.http.post(
        bot.url("sendDocument"), data={"chat_id": CHAT}, files=files, timeout=10
    ).json()["result"]["document"]
    again = bot.post("sendDocument", chat_id=CHAT, document=first["file_id"])
    assert again.json()["result"]["document"] == first


@pytest.mark.parametrize(
    ("parameters", "description"),
    [
        ({}, "Bad Request: there is no document in the request"),
        ({"document": "no-such-file"}, "Bad Request: wrong file identifier/HTTP URL specified"),
        (
            {"document": "https://example.com/a.pdf", "caption": "x" * 1025},
            "Bad Request: message caption is too long",
        ),
    ],
)
def test_a_document_that_cannot_be_sent_is_refused(
    bot: Bot, parameters: dict[str, Any], description: str
) -> None:
    answer = bot.post("sendDocument", chat_id=CHAT, **parameters)
    assert (answer.status_code, answer.json()["description"]) == (400, description)


def test_set_webhook_has_the_shape_of_the_sample(bot: Bot) -> None:
    answer = bot.post("setWebhook", url="https://example.com/hook", secret_token="s-1")
    assert answer.json() == {"ok": True, "result": True, "description": "Webhook was set"}


@pytest.mark.parametrize("method", ["sendMessage", "sendmessage", "SENDMESSAGE"])
def test_method_names_are_case_insensitive(bot: Bot, method: str) -> None:
    assert bot.post(method, chat_id=CHAT, text="x").json()["ok"] is True


def call_by_query(bot: Bot, values: dict[str, str]) -> requests.Response:
    return bot.http.get(bot.url("sendMessage"), params=values, timeout=10)


def call_by_post_query(bot: Bot, values: dict[str, str]) -> requests.Response:
    return bot.http.post(bot.url("sendMessage"), params=values, timeout=10)


def call_by_form(bot: Bot, values: dict[str, str]) -> requests.Response:
    return bot.http.post(bot.url("sendMessage"), data=values, timeout=10)


def call_by_multipart(bot: Bot, values: dict[str, str]) -> requests.Response:
    parts = {name: (None, value) for name, value in values.items()}
    return bot.http.post(bot.url("sendMessage"), files=parts, timeout=10)


def call_by_json(bot: Bot, values: dict[str, str]) -> requests.Response:
    return bot.http.post(bot.url("sendMessage"), json=values, timeout=10)


@pytest.mark.parametrize(
    "call", [call_by_query, call_by_post_query, call_by_form, call_by_multipart, call_by_json]
)
def test_parameters_come_in_every_form(bot: Bot, call: Any) -> None:
    values = {
        "chat_id": str(CHAT),
        "text": "<i>Привет & \U0001f680</i>",
        "parse_mode": "html",
        "link_preview_options": json.dumps({"is_disabled": True}),
        "reply_markup": json.dumps(
            {"inline_keyboard": [[{"text": "Pay", "url": "https://example.com/pay"}]]}
        ),
        "protect_content": "true",
    }
    result = call(bot, values).json()["result"]
    assert result["text"] == "Привет & \U0001f680"
    assert result["entities"] == [{"offset": 0, "length": 11, "type": "italic"}]
    assert result["link_preview_options"] == {"is_disabled": True}
    assert result["reply_markup"]["inline_keyboard"][0][0]["text"] == "Pay"
    assert result["has_protected_content"] is True
    assert result["chat"]["id"] == CHAT


def test_given_entities_are_kept_when_there_is_no_parse_mode(bot: Bot) -> None:
    entities = [{"type": "bold", "offset": 0, "length": 3}]
    result = bot.send("abc def", entities=entities).json()["result"]
    assert result["entities"] == [{"offset": 0, "length": 3, "type": "bold"}]


@pytest.mark.parametrize(
    ("token", "status", "description"),
    [
        ("no-colon", 404, "Not Found"),
        (":secret", 404, "Not Found"),
        ("123:", 404, "Not Found"),
        ("0123:abc", 401, "Unauthorized: invalid token specified"),
        ("123:revoked-long-ago", 401, "Unauthorized"),
    ],
)
def test_a_bad_token_is_refused(
    sandbox: Sandbox, token: str, status: int, description: str
) -> None:
    answer = requests.get(f"{sandbox.telegram_url}/bot{token}/getMe", timeout=10)
    assert answer.status_code == status
    assert answer.json() == {"ok": False, "error_code": status, "description": description}


def test_a_revoked_secret_is_unauthorized_and_a_new_one_works(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.revoke(BOT_ID, TOKEN.partition(":")[2])
    assert bot.post("getMe").json() == {
        "ok": False,
        "error_code": 401,
        "description": "Unauthorized",
    }
    bot.token = f"{BOT_ID}:fresh"
    assert bot.post("getMe").status_code == 200
    sandbox.revoke(BOT_ID)
    assert bot.post("getMe").status_code == 401
    sandbox.restore(BOT_ID)
    assert bot.post("getMe").status_code == 200


def test_an_unknown_method_is_not_found(bot: Bot) -> None:
    answer = bot.post("sendPigeon")
    assert answer.status_code == 404
    assert answer.json()["description"] == "Not Found: method not found"


@pytest.mark.parametrize("path", ["/bot", "/bot123:abc", "/bot123:abc/", "/bot123:abc/a/b"])
def test_a_path_without_a_method_is_not_found(sandbox: Sandbox, path: str) -> None:
    answer = requests.get(sandbox.telegram_url + path, timeout=10)
    assert answer.status_code == 404
    assert answer.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


@pytest.mark.parametrize(
    ("body", "content_type", "description"),
    [
        (b"{", "application/json", "Bad Request: can't parse JSON object"),
        (b'"text"', "application/json", "Bad Request: object expected as JSON body"),
        (b'{"text":"\\ud83d"}', "application/json", "Bad Request: can't parse JSON object"),
        (
            b"text=%ff",
            "application/x-www-form-urlencoded",
            "Bad Request: strings must be encoded in UTF-8",
        ),
        (b"--x", "multipart/form-data; boundary=y", "Bad Request: can't parse multipart body"),
        (b"--x", "multipart/form-data", "Bad Request: can't parse multipart body"),
    ],
)
def test_a_broken_body_is_a_bad_request(
    bot: Bot, body: bytes, content_type: str, description: str
) -> None:
    answer = bot.http.post(
        bot.url("sendMessage"), data=body, headers={"content-type": content_type}, timeout=10
    )
    assert (answer.status_code, answer.json()["description"]) == (400, description)


def test_an_upload_over_50_mb_is_refused_before_it_is_read(bot: Bot) -> None:
    request = requests.Request(
        "POST",
        bot.url("sendDocument"),
        data=b"",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    prepared = bot.http.prepare_request(request)
    prepared.headers["content-length"] = str(60 * 1024 * 1024)
    answer = bot.http.send(prepared, timeout=10)
    assert (answer.status_code, answer.json()["description"]) == (413, "Request Entity Too Large")
