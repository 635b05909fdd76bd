"""What a notification may be, checked before anything is written."""

import re

import orjson
from django.conf import settings

from notifications.inbox.errors import DraftInvalid, TooManyTargets
from notifications.inbox.shapes import Draft

MESSAGE_LIMIT = 4_000  # characters
SOURCE_LIMIT = 100
LOGIN_LIMIT = 150
KEY_LIMIT = 200
DATA_LIMIT = 4_096  # bytes of JSON
_NUL = re.compile(
    rb"(?<!\\)(?:\\\\)*\\u0000"
)  # escaped in JSON; a backslash before it is another matter
LONGEST_S = 15 * 86_400  # nothing is kept for longer


def draft_check(draft: Draft) -> None:
    """Raise DraftInvalid or TooManyTargets, with the field and the reason."""
    if not draft.targets:
        raise DraftInvalid("target names nobody")
    if len(draft.targets) > settings.INBOX_MAX_TARGETS:
        raise TooManyTargets(f"one request names at most {settings.INBOX_MAX_TARGETS} targets")
    for user_id, login in draft.ids:
        if not -(2**63) <= user_id < 2**63:
            raise DraftInvalid("target: id is too large")
        _text_check("target: login", login, LOGIN_LIMIT)
    message_check(draft.message)
    _text_check("source", draft.source, SOURCE_LIMIT)
    if draft.collapse_key is not None:
        _text_check("collapse_key", draft.collapse_key, KEY_LIMIT)
    if draft.created_at is not None and draft.created_at.tzinfo is None:
        raise DraftInvalid("created_at has no time zone")
    if draft.priority not in range(4):
        raise DraftInvalid("priority must be 0 (critical), 1, 2 or 3 (low)")
    if not 1 <= draft.ttl_s <= LONGEST_S:
        raise DraftInvalid(f"ttl_s must be 1 to {LONGEST_S} seconds")
    if draft.fallback_after_s is not None and not 1 <= draft.fallback_after_s <= LONGEST_S:
        raise DraftInvalid(f"fallback_after_s must be 1 to {LONGEST_S} seconds")
    data_text(draft.data)


def message_check(message: str) -> None:
    """Raise DraftInvalid unless it can be the text of a notification."""
    _text_check("message", message, MESSAGE_LIMIT)


def login_check(login: str) -> None:
    """Raise DraftInvalid unless somebody can be called so."""
    _text_check("login", login, LOGIN_LIMIT)


def data_text(data: dict[str, object] | None) -> str | None:
    """The free fields as JSON. Raises DraftInvalid where they cannot be kept."""
    if data is None:
        return None
    try:
        text = orjson.dumps(data)
    except TypeError:
        raise DraftInvalid("data is not JSON, or nested too deeply") from None
    if len(text) > DATA_LIMIT:
        raise DraftInvalid(f"data has {len(text)} bytes of JSON; {DATA_LIMIT} are the limit")
    if _NUL.search(text):
        raise DraftInvalid("data holds a NUL character")
    return text.decode()


def _text_check(name: str, text: str, limit: int) -> None:
    if not 1 <= len(text) <= limit:
        raise DraftInvalid(f"{name} must have 1 to {limit} characters")
    if text.isascii():
        is_bad = "\x00" in text
    else:
        is_bad = "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text)
    if is_bad:
        raise DraftInvalid(f"{name} holds a character that cannot be stored")
