"""Writing a broadcast: create, edit, clone. Nothing is sent here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import orjson
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from jobs.audit import Account, audit_write
from jobs.storable import holds_nul, is_storable
from lib import clock
from notifications.broadcasts.audiences.registry import audience_check
from notifications.broadcasts.errors import BroadcastChanged, BroadcastInvalid, BroadcastSettled
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Broadcast, Channel, Status
from notifications.broadcasts.starting import start_later
from notifications.broadcasts.texts import texts_check

OBJECT = "broadcast"  # what the audit log calls it
EDITABLE = (Status.DRAFT, Status.SCHEDULED)
TEXTS = frozenset({"title", "title_ru", "body", "body_ru", "parse_mode", "data"})
FIELDS = (
    "title", "title_ru", "body", "body_ru", "parse_mode", "data", "audience", "channels",
    "created_by", "time_zone", "canary_percent", "canary_max_errors",
)  # fmt: skip
TIME_ZONE_WISH = "must be a name such as Europe/Berlin"
DATA_LIMIT = 3_000  # bytes of JSON; the inbox adds our own fields and takes 4,096


@transaction.atomic
def broadcast_create(
    *,
    title: str,
    body: str,
    audience: Mapping[str, Any],
    channels: Sequence[str] = (Channel.INBOX,),
    title_ru: str = "",
    body_ru: str = "",
    parse_mode: str = "",
    data: dict[str, Any] | None = None,
    created_by: str = "",
    scheduled_at: datetime | None = None,
    time_zone: str = "UTC",
    canary_percent: int = 0,
    canary_max_errors: int = 5,
    by: Account,
) -> Broadcast:
    """Make a draft; with scheduled_at it is scheduled at once, and starts as soon as that has come.

    parse_mode: "HTML" (Telegram's) or "" for plain text. canary_max_errors: percent of the canary.
    Raises BroadcastInvalid, AudienceInvalid. Repeat: makes another one.
    """
    row = Broadcast(
        title=title, title_ru=title_ru, body=body, body_ru=body_ru, parse_mode=parse_mode, data=data,
        audience=dict(audience), channels=list(channels), created_by=created_by or _name(by),
        author_id=_account_id(by), scheduled_at=scheduled_at, time_zone=time_zone,
        canary_percent=canary_percent, canary_max_errors=canary_max_errors,
        created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip
    _check(row)
    if scheduled_at is not None:
        row.status = Status.SCHEDULED
    row.save(force_insert=True)
    if scheduled_at is not None:
        start_later(row)
    audit_write(
        by, "broadcasts.create", OBJECT, row.pk, title=row.title, audience=row.audience["type"]
    )
    return row


@transaction.atomic
def broadcast_edit(
    *, broadcast_id: UUID, by: Account, version: int | None = None, **changes: Any
) -> Broadcast:
    """Change a draft, or one that is scheduled (see broadcast_create for the fields). Of one that is
    paused the texts can be changed: whoever has not got it yet gets the new ones.

    version: the one that the editor saw. Raises BroadcastUnknown, BroadcastSettled, BroadcastChanged,
    BroadcastInvalid. Locks: the broadcast, alone. The time is changed by broadcast_schedule.
    """
    row = broadcast_hold(broadcast_id)
    is_text = row.status == Status.PAUSED and set(changes) <= TEXTS
    if row.status not in EDITABLE and not is_text:
        raise BroadcastSettled(
            f"the broadcast is {row.status}; only a draft can be edited: clone it",
            broadcast_status=row.status,
        )
    if version is not None and version != row.version:
        raise BroadcastChanged(version=row.version)
    if strange := set(changes) - set(FIELDS):
        raise BroadcastInvalid(min(strange), "cannot be edited")
    changed = [name for name, value in changes.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, changes[name])
    _check(row)
    if changed:
        row.version += 1
        row.updated_at = clock.now()
        row.save(update_fields=[*changed, "version", "updated_at"])
        audit_write(by, "broadcasts.edit", OBJECT, row.pk, changed=sorted(changed))
    return row


@transaction.atomic
def broadcast_clone(*, broadcast_id: UUID, by: Account) -> Broadcast:
    """A new draft with the same text, audience and channels. Raises BroadcastUnknown."""
    row = broadcast_hold(broadcast_id)
    made = Broadcast(
        **{name: getattr(row, name) for name in FIELDS if name != "created_by"},
        created_by=_name(by), author_id=_account_id(by), cloned_from=row.pk,
        created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip
    made.save(force_insert=True)
    audit_write(by, "broadcasts.clone", OBJECT, made.pk, of=str(row.pk))
    return made


_LENGTHS = {
    "title": (1, 200), "title_ru": (0, 200), "body": (1, 20_000), "body_ru": (0, 20_000),
    "created_by": (0, 150),
}  # fmt: skip


def _check(row: Broadcast) -> None:
    """Bring the fields to their normal form. Raises BroadcastInvalid."""
    lengths_check(row)
    row.channels = list(dict.fromkeys(row.channels))
    for name, is_good, wish in _rules(row):
        if not is_good:
            raise BroadcastInvalid(name, wish)
    row.audience = audience_check(row.audience)
    texts_check(row)


def lengths_check(row: Broadcast) -> None:
    """Raise BroadcastInvalid for a text that is missing, too long, or cannot be stored."""
    for name, (least, most) in _LENGTHS.items():
        value = getattr(row, name)
        if not isinstance(value, str) or len(value.strip()) < least or len(value) > most:
            raise BroadcastInvalid(name, f"must have {least} to {most} characters")
        if not is_storable(value):
            raise BroadcastInvalid(name, "holds a NUL character, or half a letter")


def _rules(row: Broadcast) -> Iterator[tuple[str, bool, str]]:
    yield "parse_mode", row.parse_mode in {"", "HTML"}, "must be HTML, or empty for plain text"
    known = bool(row.channels) and set(row.channels) <= set(Channel.values)
    yield "channels", known, "must be one or both of inbox and telegram"
    yield "time_zone", row.time_zone in available_timezones(), TIME_ZONE_WISH
    if row.scheduled_at is not None:
        yield "scheduled_at", *moment_rule(row.scheduled_at)
    yield "canary_percent", 0 <= row.canary_percent <= 50, "must be 0 (no canary) to 50"
    yield "canary_max_errors", 0 <= row.canary_max_errors <= 100, "must be 0 to 100 percent"
    yield "data", row.data is None or isinstance(row.data, dict), "must be an object"
    if row.data is not None:
        yield "data", *_data_rule(row.data)


def moment_rule(moment: datetime) -> tuple[bool, str]:
    """Whether it can be a time to send at, and what it should be."""
    if moment.tzinfo is None:
        return False, "must have a time zone"
    # At the ends of the calendar it would be no moment in some zones.
    return 1970 <= moment.year <= 9000, "must be a moment of our time"


def _data_rule(data: dict[str, Any]) -> tuple[bool, str]:
    try:
        json = orjson.dumps(data)
    except TypeError:  # also for half letters, and for what is nested too deeply
        return False, "cannot be written as JSON"
    if holds_nul(json):
        return False, "holds a NUL character"
    return len(json) <= DATA_LIMIT, f"has more than {DATA_LIMIT} bytes of JSON"


def _account_id(by: Account) -> Any:
    return by.pk if isinstance(by, AbstractBaseUser) else None


def _name(by: Account) -> str:
    return by.get_username()[:150] if isinstance(by, AbstractBaseUser) else ""
