"""What each answer of the Bot API means, by the bodies of the contract."""

import json
from datetime import timedelta
from typing import Any

import pytest

from lib.http import Answer
from notifications.telegram.answers import DEFAULT_PAUSE, result_of
from notifications.telegram.errors import (
    BotUnauthorized,
    ChatMigrated,
    ChatUnreachable,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RequestRefused,
    TelegramError,
    TelegramUnavailable,
    TextRefused,
)

pytestmark = pytest.mark.unit


def answer(status: int, body: Any, **headers: str) -> Answer:
    content = body if isinstance(body, str) else json.dumps(body)
    return Answer("telegram", status, headers, content.encode())


def refusal(code: int, description: str, **parameters: int) -> Answer:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return answer(code, body | ({"parameters": parameters} if parameters else {}))


def error_of(given: Answer) -> TelegramError:
    with pytest.raises(TelegramError) as caught:
        result_of(given)
    return caught.value


def test_a_result_is_handed_over() -> None:
    assert result_of(answer(200, {"ok": True, "result": {"id": 1}})) == {"id": 1}
    assert result_of(answer(200, {"ok": True, "result": True, "description": "was set"})) is True


@pytest.mark.parametrize(
    ("code", "description", "reason"),
    [
        (403, "Forbidden: bot was blocked by the user", "blocked"),
        (403, "Forbidden: user is deactivated", "deactivated"),
        (403, "Forbidden: bot can't initiate conversation with a user", "not_started"),
        (403, "Forbidden: the bot can't send messages to the bot", "to_bot"),
        (403, "Forbidden: bot can't send messages to bots", "to_bot"),
        (403, "Forbidden: bot was kicked from the group chat", "kicked"),
        (403, "Forbidden: bot was kicked from the supergroup chat", "kicked"),
        (403, "Forbidden: Bot was kicked from the channel chat", "kicked"),
        (403, "Forbidden: bot is not a member of the supergroup chat", "kicked"),
        (403, "Forbidden: the group chat was deleted", "kicked"),
        (400, "Bad Request: chat not found", "not_found"),
        (400, "Bad Request: Chat not found", "not_found"),
        (400, "Bad Request: private chat not found", "not_found"),
    ],
)
def test_a_chat_that_nothing_reaches_is_told_with_its_reason(
    code: int, description: str, reason: str
) -> None:
    error = error_of(refusal(code, description))
    assert isinstance(error, ChatUnreachable)
    assert (error.reason, error.description) == (reason, description)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (
            'Bad Request: can\'t parse entities: Unsupported start tag "tj" at byte offset 52',
            "cannot_parse",
        ),
        ("Bad Request: Can't parse entities: Unclosed start tag", "cannot_parse"),
        ("Bad Request: message is too long", "too_long"),
        ("Bad Request: text is too long", "too_long"),
        ("Bad Request: message caption is too long", "too_long"),
        ("Bad Request: message text is empty", "empty"),
        ("Bad Request: text must be non-empty", "empty"),
    ],
)
def test_a_text_that_reaches_nobody_is_told_with_its_reason(description: str, reason: str) -> None:
    error = error_of(refusal(400, description))
    assert isinstance(error, TextRefused)
    assert error.reason == reason


def test_a_migrated_group_tells_its_new_id() -> None:
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    error = error_of(refusal(400, text, migrate_to_chat_id=-1001234567890))
    assert isinstance(error, ChatMigrated)
    assert error.new_chat_id == -1001234567890


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (refusal(429, "Too Many Requests: retry after 35", retry_after=35), 35),
        (refusal(429, "Too Many Requests: retry after 35"), 35),
        (answer(429, "<html>slow down</html>", **{"Retry-After": "7"}), 7),
        (answer(429, "<html>slow down</html>"), DEFAULT_PAUSE.total_seconds()),
        (refusal(429, "Too Many Requests", retry_after=0), DEFAULT_PAUSE.total_seconds()),
    ],
)
def test_a_rate_limit_tells_how_long_to_wait(given: Answer, seconds: float) -> None:
    error = error_of(given)
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (refusal(401, "Unauthorized"), BotUnauthorized),
        (refusal(401, "Unauthorized: invalid token specified"), BotUnauthorized),
        (refusal(404, "Not Found"), BotUnauthorized),
        (refusal(404, "Not Found: method not found"), BotUnauthorized),
        (answer(404, "<html>nginx</html>"), BotUnauthorized),
        (refusal(400, "Bad Request: not enough rights to send text messages"), RequestRefused),
        (refusal(400, "Bad Request: CHAT_WRITE_FORBIDDEN"), RequestRefused),
        (refusal(403, "Forbidden: something new"), RequestRefused),
        (refusal(409, "Conflict: terminated by other getUpdates request"), RequestRefused),
        (refusal(413, "Request Entity Too Large"), RequestRefused),
        (answer(413, "<html>too large</html>"), RequestRefused),
        (refusal(418, "Teapot"), RequestRefused),
        (refusal(500, "Internal Server Error: restart"), TelegramUnavailable),
        (answer(302, ""), TelegramUnavailable),
        (answer(403, "<html>Blocked by the authority</html>"), TelegramUnavailable),
        (answer(400, '"a text"'), TelegramUnavailable),
        (refusal(500, "Internal Server Error"), OutcomeUnknown),
        (answer(500, "<html>"), OutcomeUnknown),
        (refusal(502, "Bad Gateway"), OutcomeUnknown),
        (answer(502, "<html>nginx</html>"), OutcomeUnknown),
        (answer(503, ""), OutcomeUnknown),
        (answer(504, "[]"), OutcomeUnknown),
        (answer(200, "<html>Welcome to the hotel network</html>"), OutcomeUnknown),
        (answer(200, {"ok": "yes", "result": 1}), OutcomeUnknown),
        (answer(200, "[]"), OutcomeUnknown),
    ],
    ids=lambda value: f"{value.status} {value.text[:40]}" if isinstance(value, Answer) else "",
)
def test_an_answer_means_one_error(given: Answer, kind: type[TelegramError]) -> None:
    assert type(error_of(given)) is kind


def test_the_code_in_the_body_beats_the_status() -> None:
    body = {"ok": False, "error_code": 403, "description": "Forbidden: user is deactivated"}
    assert isinstance(error_of(answer(200, body)), ChatUnreachable)


@pytest.mark.parametrize("odd", [None, 5, [], {"retry_after": "soon"}, {"migrate_to_chat_id": "x"}])
def test_odd_parameters_do_no_harm(odd: Any) -> None:
    body = {"ok": False, "error_code": 400, "description": 7, "parameters": odd}
    assert isinstance(error_of(answer(400, body)), RequestRefused)
    assert isinstance(error_of(answer(429, {**body, "error_code": 429})), RateLimited)


def test_what_is_refused_for_good_has_one_parent() -> None:
    permanent = {ChatUnreachable, TextRefused, RequestRefused}
    assert set(Refused.__subclasses__()) == permanent
    for transient in (
        ChatMigrated,
        RateLimited,
        BotUnauthorized,
        TelegramUnavailable,
        OutcomeUnknown,
    ):
        assert not issubclass(transient, Refused)


def test_an_error_says_what_it_is_and_what_telegram_said() -> None:
    assert str(error_of(refusal(400, "Bad Request: chat not found"))) == (
        "Nothing reaches this chat: Bad Request: chat not found"
    )
    assert str(RateLimited(timedelta(seconds=7))) == "Telegram asks to wait: 7 s"
    assert str(TelegramError()) == "Telegram did not do what it was asked for."


def test_a_long_description_is_cut() -> None:
    assert len(error_of(refusal(400, "x" * 10_000)).description) == 300
