"""How a person wishes to be told: what is muted, when it is quiet, what else is tried, how long is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import time, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.db import DataError, transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from jobs import sql
from jobs.audit import Account, audit_write
from jobs.registry import kind_get
from lib.errors import InputInvalid
from notifications.inbox import keys
from notifications.inbox.models import Recipient
from notifications.inbox.quiet import deferred_replan
from notifications.inbox.recipients import recipients_find
from notifications.telegram.services import chat_check
from notifications.telegram.templates import LANGUAGES

OBJECT = "recipient"  # what the audit log calls it
SOURCES_MOST = 100
SOURCE_LIMIT = 100  # characters
FALLBACK_MOST_S = 7 * 86_400
DAYS = range(1, 16)
TRIM = "inbox.trim_retention"
_TRIM_SOON = timedelta(seconds=5)


class PreferencesInvalid(InputInvalid):
    """A preference does not have the form that is asked for."""

    code = "invalid"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The wishes of one person; these are the defaults of somebody who has said nothing.

    quiet_from, quiet_to: on the clock of time_zone, both or none; quiet_to may be of the next day.
    fallback_after_s: unread for so long goes to Telegram, if there is a telegram_id. language: "" is not
    known.
    """

    muted_sources: list[str]
    quiet_from: time | None = None
    quiet_to: time | None = None
    time_zone: str = "UTC"
    fallback_after_s: int | None = None
    telegram_id: int | None = None
    language: str = ""
    retention_days: int = 15


NAMES: Final = tuple(field.name for field in fields(Preferences))
_QUIET: Final = {"quiet_from", "quiet_to", "time_zone"}


def preferences_get(*, user_id: int, login: str) -> Preferences:
    """The wishes of a person; the defaults if nobody has ever told that person anything. One query."""
    row = Recipient.objects.filter(user_id=user_id, login=login).values(*NAMES).first()
    return Preferences(**row) if row else Preferences([])


def preferences_set(*, user_id: int, login: str, by: Account, **changes: Any) -> Preferences:
    """Change some of them (see Preferences); the others stay. Returns how all of them stand.

    What waits for the end of quiet hours is planned anew. Raises PreferencesInvalid with all that is
    wrong. Repeat-safe: what is already so is neither written nor audited. Locks: the person's inbox.
    """
    checked = _checked(changes)
    target = (user_id, login)
    with transaction.atomic():
        recipient_id = recipients_find([target])[target]
        row = Recipient.objects.select_for_update(no_key=True).get(pk=recipient_id)
        before = _of(row)
        different = {
            name: value for name, value in checked.items() if value != getattr(before, name)
        }
        for name, value in different.items():
            setattr(row, name, value)
        _fit_together(row)
        if different:
            row.save(update_fields=list(different))
            _follow_up(row, different.keys())
            audit_write(
                by, "inbox.preferences", OBJECT, str(row),
                **{name: [_word(getattr(before, name)), _word(different[name])] for name in different},
            )  # fmt: skip
    return _of(row)


def retention_set(*, recipient_id: int, days: int) -> None:
    """Keep a person's notifications for so many days (1 to 15), by that person's own wish.

    Raises PreferencesInvalid. Repeat-safe. Locks: the person's inbox.
    """
    checked = _checked({"retention_days": days})
    with transaction.atomic():
        row = Recipient.objects.select_for_update(no_key=True).get(pk=recipient_id)
        if row.retention_days != checked["retention_days"]:
            row.retention_days = checked["retention_days"]
            row.save(update_fields=["retention_days"])
            _follow_up(row, ["retention_days"])


def _of(row: Recipient) -> Preferences:
    return Preferences(**{name: getattr(row, name) for name in NAMES})


def _word(value: Any) -> Any:
    return value.isoformat() if isinstance(value, time) else value


def _follow_up(row: Recipient, names: Iterable[str]) -> None:
    if not _QUIET.isdisjoint(names):
        deferred_replan(row.pk)
    if "retention_days" in names:
        kind_get(TRIM).enqueue(delay=_TRIM_SOON)
        user_id, login, days = row.user_id, row.login, row.retention_days
        transaction.on_commit(lambda: _tell_redis(user_id, login, days))


def _tell_redis(user_id: int, login: str, days: int) -> None:
    """For outsiders who look there; a rebuild of the window writes it again."""
    try:
        get_redis_connection("default").set(keys.retention(user_id, login), days)
    except RedisError:
        return


def _fit_together(row: Recipient) -> None:
    if (row.quiet_from is None) != (row.quiet_to is None):
        missing = "quiet_from" if row.quiet_from is None else "quiet_to"
        raise _invalid({missing: "Quiet hours have a beginning and an end."})
    if row.quiet_from is not None and row.quiet_from == row.quiet_to:
        raise _invalid({"quiet_to": "Quiet hours must end at another time than they begin."})


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    checked: dict[str, Any] = {}
    for name, value in changes.items():
        check = _CHECKS.get(name)
        if check is None:
            wrong[name] = f"There is no such preference; there are {', '.join(NAMES)}."
            continue
        try:
            checked[name] = check(value)
        except ValueError as exc:
            wrong[name] = str(exc)
    if wrong:
        raise _invalid(wrong)
    return checked


def _invalid(wrong: dict[str, str]) -> PreferencesInvalid:
    return PreferencesInvalid(
        " ".join(f"{name}: {why}" for name, why in wrong.items()),
        errors=[{"field": name, "message": why} for name, why in wrong.items()],
    )


def _sources(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > SOURCES_MOST:
        raise ValueError(f"Must be a list of at most {SOURCES_MOST} names of sources.")
    for each in value:
        if (
            not isinstance(each, str)
            or not each.strip()
            or len(each) > SOURCE_LIMIT
            or "\0" in each
        ):
            raise ValueError(f"The name of a source is a text of 1 to {SOURCE_LIMIT} characters.")
    return list(dict.fromkeys(value))


def _clock_time(value: Any) -> time | None:
    if value is None or (isinstance(value, time) and value.tzinfo is None):
        return value
    raise ValueError("Must be a time of day such as 22:00, or null.")


def _zone(value: Any) -> str:
    if not isinstance(value, str) or value not in available_timezones() or not _is_known(value):
        raise ValueError("There is no such time zone; write Europe/Moscow or UTC.")
    return value


@cache
def _is_known(zone: str) -> bool:
    """Postgres has a list of its own, and it is Postgres that finds the end of quiet hours."""
    try:
        with transaction.atomic():
            sql.row("SELECT now() AT TIME ZONE %s", [zone])
    except DataError:
        return False
    return True


def _number(least: int, most: int, what: str) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"Must be {what} from {least} to {most}.")
        return value

    return check


def _fallback(value: Any) -> int | None:
    return None if value is None else _number(1, FALLBACK_MOST_S, "a number of seconds")(value)


def _telegram_id(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        raise ValueError("Must be a number such as 500100201, or null.")
    try:
        chat_check(value)
    except InputInvalid as exc:
        raise ValueError(exc.message) from None
    return value


def _language(value: Any) -> str:
    if value not in {"", *LANGUAGES}:
        raise ValueError(f"Must be one of {', '.join(LANGUAGES)}, or empty.")
    return str(value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "muted_sources": _sources,
    "quiet_from": _clock_time,
    "quiet_to": _clock_time,
    "time_zone": _zone,
    "fallback_after_s": _fallback,
    "telegram_id": _telegram_id,
    "language": _language,
    "retention_days": _number(DAYS[0], DAYS[-1], "a number of days"),
}
