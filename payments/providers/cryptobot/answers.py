"""What an answer of Crypto Pay means: its result, or the error to raise.

Source: Crypto Pay API 1.5.2 (2026-03-18); names of errors as seen by clients, contract section 6.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from lib.http import Answer
from payments.providers.cryptobot.errors import (
    AppSuspended,
    CryptoPayAway,
    CryptoPayBusy,
    CryptoPayError,
    CryptoPayRefused,
    CryptoPayUnknown,
    TokenRefused,
)
from payments.providers.cryptobot.reading import ShapeInvalid, json_read

APP_ERROR = "APP_ERROR"  # a 500 that means malformed values
_NAME_LIMIT = 80
_NAMED = {401: TokenRefused, 423: AppSuspended}


def result_of(answer: Answer, mask: Callable[[str], str], *, is_write: bool) -> Any:
    """What the method gave back. Raises the CryptoPayError that the answer means.

    is_write: an answer that does not tell how it ended is a CryptoPayUnknown, else CryptoPayAway.
    """
    body = _object(answer)
    if 200 <= answer.status < 300 and body is not None and body.get("ok") is True:
        return body.get("result")
    raise _error(answer, body, mask, is_write=is_write)


def _object(answer: Answer) -> Mapping[str, Any] | None:
    """The JSON object of the body; None for the page of somebody in between."""
    try:
        body = json_read(answer.body)
    except ShapeInvalid:
        return None
    return body if isinstance(body, Mapping) else None


def _error(
    answer: Answer, body: Mapping[str, Any] | None, mask: Callable[[str], str], *, is_write: bool
) -> CryptoPayError:
    code, name = _named(answer, body, mask)
    if code == 429:
        return CryptoPayBusy(_pause(answer))
    if body is None and 300 <= answer.status < 500:
        # Crypto Pay always speaks JSON: this is a proxy, a censor's page, or a wrong address.
        return CryptoPayAway(f"HTTP {answer.status} without JSON; is CRYPTOBOT_API_URL right?")
    if 400 <= code < 500:
        return _NAMED.get(code, CryptoPayRefused)(code, name)
    if name == APP_ERROR and not is_write:
        return CryptoPayRefused(code, name)
    said = f"HTTP {answer.status} {name}".strip()
    return CryptoPayUnknown(said) if is_write else CryptoPayAway(said)


def _named(
    answer: Answer, body: Mapping[str, Any] | None, mask: Callable[[str], str]
) -> tuple[int, str]:
    """Code and name of the envelope; the HTTP status where it has none."""
    error = (body or {}).get("error")
    if not isinstance(error, Mapping):
        return answer.status, ""
    code, name = error.get("code"), error.get("name")
    return (
        code if type(code) is int else answer.status,
        # Masked before it is cut, so that no half of a secret is left over.
        mask(name)[:_NAME_LIMIT] if isinstance(name, str) else "",
    )


def _pause(answer: Answer) -> timedelta | None:
    """Retry-After in seconds, if it is given so."""
    written = answer.headers.get("Retry-After", "").strip()
    return timedelta(seconds=int(written)) if re.fullmatch(r"[0-9]{1,5}", written) else None
