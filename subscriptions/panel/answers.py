"""Judging an answer of the panel: what it gave, or the error that it means (contract, section 10).

Four shapes of errors come from the panel and more from proxies in between. Status first, then the code.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson

from lib.http import Answer
from subscriptions.panel.errors import (
    PanelAway,
    PanelBusy,
    PanelDenied,
    PanelError,
    PanelFailed,
    PanelHeld,
    PanelMissing,
    PanelRefused,
    PanelUnknown,
)
from subscriptions.panel.fields import ContractDiffers

DEFAULT_PAUSE = timedelta(seconds=5)  # after a 429 that does not say for how long
LONGEST_PAUSE = timedelta(minutes=5)
_MESSAGE_CHARS = 300
_NOT_JSON = object()


class Misspoken(Exception):
    """The panel did not understand us: another dialect, or a mistake of ours; `error` tells callers."""

    def __init__(self, error: PanelError) -> None:
        super().__init__(str(error))
        self.error = error


def payload_of(answer: Answer, *, writes: bool, mask: Callable[[str], str] = str) -> Any:
    """What stands in `response`; None for an answer without a body.

    writes: whether the request changes something, so that a doubtful end is PanelUnknown.
    Raises PanelError, Misspoken, ContractDiffers.
    """
    if answer.status in {202, 204}:
        return None
    body = _json(answer)
    if 200 <= answer.status < 300:
        if body is _NOT_JSON:
            raise _doubtful(f"HTTP {answer.status} without JSON", writes=writes)
        if not isinstance(body, dict) or "response" not in body:
            raise ContractDiffers("the answer has no field response")
        return body["response"]
    if not isinstance(body, dict):
        raise _error_of_somebody_between(answer, writes=writes)
    raise _error(answer, body, mask(_message(body))[:_MESSAGE_CHARS], writes=writes)


def _error(answer: Answer, body: dict[str, Any], message: str, *, writes: bool) -> Exception:
    status, code = answer.status, _code(body)
    match status:
        case 401:
            return PanelDenied(401, code or "unauthorized", message)
        case 403:
            return PanelDenied(403, code or "forbidden", message)
        case 404 if code:
            return PanelMissing(404, code, message)
        case 404 if message.startswith("Cannot "):
            return Misspoken(PanelHeld("it does not know a route that we use"))
        case 404:
            return PanelAway("HTTP 404, but not in the words of the panel")
        case 400 if not code and message == "Validation failed":
            return Misspoken(PanelRefused(400, "validation", _paths(body)))
        case 500 if code == "A089":  # status LIMITED or EXPIRED in bulk: our mistake for good
            return PanelRefused(500, code, message)
        case 500 if code and writes:
            return PanelFailed(code, message)
        case 408 | 425 | 429 | 503:
            return _error_of_somebody_between(answer, writes=writes)
        case _ if status >= 500:
            return _doubtful(f"HTTP {status} {code or message}".rstrip(), writes=writes)
        case _ if 300 <= status < 400:
            return PanelAway(f"HTTP {status}: the address of the panel redirects")
    return PanelRefused(status, code or "refused", message)


def _error_of_somebody_between(answer: Answer, *, writes: bool) -> PanelError:
    status = answer.status
    if status == 429:
        return PanelBusy("it asks to wait (429)", _pause(answer))
    if status in {401, 403}:
        return PanelDenied(status, "proxy", "something before the panel refuses us")
    if status == 413:
        return PanelRefused(413, "too_large", "the request is too large")
    if status in {408, 502, 504} or (status >= 500 and status != 503):
        return _doubtful(f"HTTP {status}", writes=writes)
    return PanelAway(f"HTTP {status}, but not in the words of the panel")


def _doubtful(reason: str, *, writes: bool) -> PanelError:
    """A read that failed changed nothing; of a write nobody knows."""
    return PanelUnknown(reason) if writes else PanelAway(reason)


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return _NOT_JSON


def _code(body: dict[str, Any]) -> str:
    code = body.get("errorCode")
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z]\d{3}", code) else ""


def _message(body: dict[str, Any]) -> str:
    message = body.get("message")
    return message if isinstance(message, str) else ""


def _paths(body: dict[str, Any]) -> str:
    """The fields that a validation complains of. Its wording differs between versions."""
    errors = body.get("errors")
    if not isinstance(errors, list):
        return "the query is not understood"
    paths = [each.get("path") for each in errors if isinstance(each, dict)]
    named = [".".join(map(str, path)) for path in paths if isinstance(path, list)]
    return f"not accepted: {', '.join(filter(None, named)) or 'the request'}"[:_MESSAGE_CHARS]


def _pause(answer: Answer) -> timedelta:
    written = answer.headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,6}", written) or int(written) == 0:
        return DEFAULT_PAUSE
    return min(timedelta(seconds=int(written)), LONGEST_PAUSE)
