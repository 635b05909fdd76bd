"""From the body of a notify request to a draft: every field, every limit, each error a sentence.

One loop over the targets and no framework in it: a request may name 10,000 people.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, cast

import orjson
from django.conf import settings

from notifications.inbox.drafts import (
    DATA_LIMIT,
    KEY_LIMIT,
    LOGIN_LIMIT,
    LONGEST_S,
    MESSAGE_LIMIT,
    SOURCE_LIMIT,
)
from notifications.inbox.errors import DraftInvalid, TooManyTargets
from notifications.inbox.shapes import Draft, Target

MOST_BODY_BYTES: Final = 4 * 1024 * 1024
MOST_ID: Final = 2**63 - 1
_MOST_ERRORS = 20  # told at once
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def draft_read(body: Any) -> Draft:
    """Check a parsed body. Raises DraftInvalid with all that is wrong, TooManyTargets."""
    if not isinstance(body, dict):
        raise _invalid([("", "The body must be a JSON object with target, message and source.")])
    targets, most = body.get("target"), settings.INBOX_MAX_TARGETS
    if isinstance(targets, list) and len(targets) > most:
        raise TooManyTargets(
            f"One request names at most {most:,} targets, this one {len(targets):,}.",
            limit_targets=most,
        )
    wrong = [
        (name, f"There is no such field; there are {', '.join(('target', *_FIELDS))}.")
        for name in sorted(body.keys() - _FIELDS.keys() - {"target"})
    ]
    found = _targets(targets, wrong)
    fields: dict[str, Any] = {}
    for name, read in _FIELDS.items():
        value = body.get(name)
        if value is not None:
            try:
                fields[name] = read(value)
            except ValueError as exc:
                wrong.append((name, str(exc)))
        elif name in _REQUIRED:
            wrong.append((name, "This field is required."))
    ttl_s = fields.setdefault("ttl_s", int(settings.INBOX_TTL.total_seconds()))
    if fields.get("fallback_after_s", 0) >= ttl_s:
        wrong.append(("fallback_after_s", "Must be less than ttl_s: by then it has expired."))
    if wrong:
        raise _invalid(wrong)
    return Draft(found, **fields)


def target_check(user_id: Any, login: Any) -> str:
    """What is wrong with a person's name: one sentence, or nothing."""
    if type(user_id) is not int or not 0 <= user_id <= MOST_ID:
        return f"id must be a whole number from 0 to {MOST_ID}."
    if not isinstance(login, str) or not login.strip() or len(login) > LOGIN_LIMIT:
        return f"login must have 1 to {LOGIN_LIMIT} characters."
    if _CONTROL.search(login):
        return "login must have no control characters."
    return ""


def message_check(value: Any) -> str:
    """The text of a notification. Raises ValueError."""
    return _text(value, MESSAGE_LIMIT)


def data_check(value: Any) -> dict[str, Any]:
    """The caller's own fields. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError("Must be an object.")  # noqa: TRY004 - a sentence for the caller
    try:
        size = len(orjson.dumps(value))
    except TypeError:  # read up to a depth of 1,024, but written up to 254 only
        raise ValueError("Is nested too deeply.") from None
    if size > DATA_LIMIT:
        raise ValueError(f"May have {DATA_LIMIT:,} bytes as JSON, this has {size:,}.")
    return value


def _targets(given: Any, wrong: list[tuple[str, str]]) -> list[Target]:
    if not isinstance(given, list) or not given:
        wrong.append(("target", 'Must be a list of people, each as {"id": 1, "login": "alice"}.'))
        return []
    found: list[Target] = []
    for index, each in enumerate(given):
        if not isinstance(each, dict):
            why = "Must be an object with id and login."
        else:
            user_id, login = each.get("id"), each.get("login")
            why = target_check(user_id, login)
            if not why and len(each) == 2:
                found.append((cast(int, user_id), cast(str, login)))
                continue
            why = why or "Has id and login and nothing else."
        wrong.append((f"target.{index}", why))
        if len(wrong) >= _MOST_ERRORS:
            break
    return found


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise ValueError(f"Must be a text of 1 to {most:,} characters.")
    return value


def _number(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"Must be a whole number from {least} to {most}.")
        return value

    return read


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC) if _has_zone(value) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not 2000 <= moment.year <= 9000:
        raise ValueError("Must be a moment with a time zone, for instance 2024-01-01T12:00:00Z.")
    return moment


def _has_zone(value: Any) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "message": message_check,
    "created_at": _moment,
    "source": lambda value: _text(value, SOURCE_LIMIT),
    "ttl_s": _number(1, LONGEST_S),
    "collapse_key": lambda value: _text(value, KEY_LIMIT),
    "priority": _number(0, 3),
    "data": data_check,
    "fallback_after_s": _number(1, LONGEST_S - 1),
}
_REQUIRED = frozenset({"message", "source"})


def _invalid(wrong: list[tuple[str, str]]) -> DraftInvalid:
    errors = [{"field": field, "message": message} for field, message in wrong[:_MOST_ERRORS]]
    return DraftInvalid("Some fields do not have the form that is asked for.", errors=errors)
