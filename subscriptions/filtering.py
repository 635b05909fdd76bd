"""Which subscribers: one filter for the list, the API, bulk operations and whoever else selects people.

A filter is JSON, `{"status": ["ACTIVE"], "expires_before": "2026-12-01T00:00:00Z"}`; all its parts must
hold. What it holds becomes parameters, never text of a query.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Upper
from django.utils.dateparse import parse_datetime

from lib.errors import InputInvalid
from notifications.telegram.models import Chat
from payments.models import Payment, State
from subscriptions.models import CutBy, Notice, NoticeState, PanelStatus, Plan, Subscriber

_MOST = 2**63
_WORDS_MOST = 100


class FilterInvalid(InputInvalid):
    """The filter has a part that is not known, or a value that does not fit."""

    code = "invalid_filter"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a filter. read: the given JSON as a value, or ValueError with what is wrong."""

    title: str
    read: Callable[[Any], Any]
    clause: Callable[[Any], Q]


def words_read(allowed: tuple[str, ...] = ()) -> Callable[[Any], list[str]]:
    """Reads a word or a list of them, as a list. What it returns raises ValueError with what is wrong."""

    def read(value: Any) -> list[str]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list) or not 0 < len(given) <= _WORDS_MOST:
            raise ValueError(f"takes a word, or a list of 1 to {_WORDS_MOST}")
        for each in given:
            if not isinstance(each, str) or len(each) > 64 or "\x00" in each:
                raise ValueError("has a word that nobody can have")
            if allowed and each not in allowed:
                raise ValueError(f"takes {', '.join(map(repr, allowed))}, not {each!r}")
        return given

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= 64 or "\x00" in value:
        raise ValueError("takes 1 to 64 characters")
    return value.strip()


def flag_read(value: Any) -> bool:
    """True or false, also as a query string says it. Raises ValueError."""
    flags = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, str) and value.lower() in flags:
        return flags[value.lower()]
    if not isinstance(value, bool):
        raise ValueError("takes true or false")  # noqa: TRY004 - the caller asks for ValueError
    return value


def number_read(value: Any) -> int:
    """A whole number that is not negative. Raises ValueError."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal() or int(text) >= _MOST:
        raise ValueError("takes a whole number")
    return int(text)


def moment_read(value: Any) -> datetime:
    """An aware moment, in UTC. Raises ValueError."""
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError("takes a moment with its time zone, such as 2026-11-01T00:00:00Z")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError("takes a moment that a calendar has") from None


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise ValueError("takes a UUID") from None


def _plans(codes: list[str]) -> list[int]:
    return list(Plan.objects.filter(code__in=codes).values_list("pk", flat=True))


def _reachable() -> Q:
    """Has a chat, and has neither blocked the bot nor gone."""
    gone = Chat.objects.filter(chat_id=OuterRef("telegram_id"), unreachable_since__isnull=False)
    return Q(telegram_id__isnull=False) & ~Q(Exists(gone))


def _reminded() -> Q:
    return Q(
        Exists(
            Notice.objects.filter(
                subscriber=OuterRef("pk"), expire_at=OuterRef("expire_at"), state=NoticeState.QUEUED
            )
        )
    )


def _invoiced() -> Q:
    """Somebody waits for the money: an order without an invoice, or one with an open invoice."""
    opened = Payment.objects.filter(
        subscriber_id=OuterRef("pk"), state__in=[State.CREATED, State.PENDING]
    )
    return Q(Exists(opened))


PARTS: dict[str, Part] = {
    "status": Part(
        "status", words_read(tuple(PanelStatus.values)), lambda value: Q(status__in=value)
    ),
    # By key, not by a join: the index subscriber_of_plan then serves a list in the order of ids.
    "plan": Part("plan", words_read(), lambda value: Q(plan__in=_plans(value))),
    "tag": Part("tag", words_read(), lambda value: Q(tag__in=value)),
    "cut_by": Part(
        "cut off by", words_read(tuple(CutBy.values)), lambda value: Q(cut_by__in=value)
    ),
    "telegram_id": Part("Telegram id", number_read, lambda value: Q(telegram_id=value)),
    "panel_id": Part("number in the panel", number_read, lambda value: Q(panel_id=value)),
    "email": Part(
        "email",
        _text,
        # As the index subscriber_of_email has it.
        lambda value: ~Q(email="") & Q(email__iexact=value),
    ),
    "has_telegram": Part("has Telegram", flag_read, lambda value: Q(telegram_id__isnull=not value)),
    "auto_renew": Part("auto-renewal", flag_read, lambda value: Q(auto_renew=value)),
    "node": Part("last node", _uuid, lambda value: Q(last_node_uuid=value)),
    "squad": Part("squad", _uuid, lambda value: Q(squads__contains=[value])),
    "expires_from": Part("expires from", moment_read, lambda value: Q(expire_at__gte=value)),
    "expires_before": Part("expires before", moment_read, lambda value: Q(expire_at__lt=value)),
    "online_since": Part("online since", moment_read, lambda value: Q(online_at__gte=value)),
    "offline_since": Part(
        "not online since", moment_read, lambda value: Q(online_at__lt=value) | Q(online_at=None)
    ),
    "name": Part(
        "name begins with",
        _text,
        # As the index subscriber_search has it.
        lambda value: Q(upper_username__startswith=value.upper()),
    ),
    "is_reachable": Part(
        "reached by Telegram", flag_read, lambda value: _reachable() if value else ~_reachable()
    ),
    "is_reminded": Part(
        "was reminded of this end", flag_read, lambda value: _reminded() if value else ~_reminded()
    ),
    "has_open_invoice": Part(
        "has an open invoice", flag_read, lambda value: _invoiced() if value else ~_invoiced()
    ),
    "is_missing": Part(
        "is gone from the panel", flag_read, lambda value: Q(missing_since__isnull=not value)
    ),
}


def filter_check(given: Mapping[str, Any]) -> dict[str, Any]:
    """The filter as JSON in its normal form. Raises FilterInvalid, naming the part."""
    _read(given)
    return {name: value for name, value in given.items() if value not in (None, "")}


def filter_query(given: Mapping[str, Any]) -> QuerySet[Subscriber]:
    """The subscribers of a filter; whoever is gone from the panel only if it asks for them.

    Raises FilterInvalid.
    """
    found = _read(given)
    rows = Subscriber.objects.all()
    if "name" in found:
        rows = rows.alias(upper_username=Upper("username"))
    if "is_missing" not in found:
        rows = rows.filter(missing_since=None)
    for name, value in found.items():
        rows = rows.filter(PARTS[name].clause(value))
    return rows


def filter_describe(given: Mapping[str, Any]) -> str:
    """One line for people: "status ACTIVE or LIMITED, expires before 2026-12-01T00:00:00Z"."""
    parts = [
        f"{PARTS[name].title} {' or '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in given.items()
        if name in PARTS and value not in (None, "")
    ]
    return ", ".join(parts) or "everybody"


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    if strange := sorted(set(given) - set(PARTS)):
        raise FilterInvalid(f"there is no filter {strange[0]!r}; there are {', '.join(PARTS)}")
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value in (None, ""):
            continue
        try:
            found[name] = PARTS[name].read(value)
        except ValueError as exc:
            raise FilterInvalid(
                f"{name} {exc}", errors=[{"field": name, "message": str(exc)}]
            ) from None
    return found
