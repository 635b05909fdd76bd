"""The list of subscribers: page by page, never counted, and whom a search means.

Each order has an index that also serves the filters: newest first by id, soonest end first by
(expire_at, id). What few have (a cut, a node, no Telegram, an email) has an index of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Q

from payments.models import Payment
from subscriptions.filtering import filter_query
from subscriptions.models import Subscriber

PAGE = 50
NEWEST, ENDING = "newest", "ending"
_MOST = 2**63


@dataclass(frozen=True, slots=True)
class SubscribersPage:
    """Some subscribers, and where the next page starts (empty: this was the last)."""

    rows: list[Subscriber]
    after: str
    looked_to: None = None  # what the shared table asks


def subscribers_page(
    where: Mapping[str, Any], *, sort: str = NEWEST, after: str = "", size: int = PAGE
) -> SubscribersPage:
    """Those of a filter behind `after`, with their plans. One query, and one more if it names a plan.

    after: what the page before has told; one that cannot be read starts anew. Raises FilterInvalid.
    """
    query = filter_query(where).select_related("plan")
    mark = _mark(after)
    if sort == ENDING:
        query = query.order_by("expire_at", "id")
        if mark and mark[0] is not None:
            # Said twice, so that the index begins where the page does.
            query = query.filter(expire_at__gte=mark[0]).exclude(expire_at=mark[0], id__lte=mark[1])
    else:
        query = query.order_by("-id")
        if mark:
            query = query.filter(id__lt=mark[1])
    found = list(query[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return SubscribersPage(found[:size], f"{last.expire_at.isoformat()}_{last.pk}" if last else "")


def _mark(after: str) -> tuple[datetime | None, int] | None:
    at, _, key = after.rpartition("_")
    if not (key.isascii() and key.isdigit() and len(key) <= 18):
        return None
    try:
        moment = datetime.fromisoformat(at.replace(" ", "+")) if at else None
    except ValueError:
        return None
    return (None if moment is None or moment.tzinfo is None else moment), int(key)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search means: one person, or a filter that shows several (or nobody)."""

    subscriber_id: int | None = None
    where: tuple[str, str] = ("", "")  # field of the filter, value


def seek(text: str) -> Sought:
    """Whom a text means: a username or its beginning, a Telegram id, a number in the panel, a short
    uuid or a link with it, a uuid, an email, a payment or the number of its invoice.

    At most four queries, each on an index.
    """
    text = text.strip()[:200].replace("\x00", "")
    exact = _by_key(text)
    if len(exact) == 1:
        return Sought(exact[0])
    number = _number(text)
    if number is not None and exact:
        return Sought(where=("telegram_id", str(number)))
    if "@" in text.strip("@") and " " not in text:
        return _one_or("email", text, Q(email__iexact=text) & ~Q(email=""))
    name = text.removeprefix("@")
    return _one_or("name", name, Q(username=name, missing_since=None))


def _by_key(text: str) -> list[int]:
    """The subscribers who have this as a key; at most a few."""
    uuid, number = _uuid(text), _number(text)
    if uuid is not None:
        payment = Payment.objects.filter(pk=uuid).values_list("subscriber_id", flat=True).first()
        return [payment] if payment else _ids(Q(panel_uuid=uuid))
    if number is not None:
        found = _ids(Q(telegram_id=number)) or _ids(Q(panel_id=number))
        if found:
            return found
        invoice = Payment.objects.filter(external_id=str(number), subscriber_id__isnull=False)
        return [row.subscriber_id for row in invoice[:1] if row.subscriber_id is not None]
    last = urlsplit(text).path.rstrip("/").rpartition("/")[2] if "://" in text else text
    return _ids(Q(short_uuid=last)) if 8 <= len(last) <= 64 else []


def _ids(condition: Q) -> list[int]:
    """Those who are in the panel first; somebody who is gone only if there is nobody else."""
    found = Subscriber.objects.filter(condition).values_list("pk", "missing_since")[:20]
    there = [pk for pk, missing in found if missing is None]
    return there or [pk for pk, _ in found]


def _one_or(field: str, value: str, condition: Q) -> Sought:
    found = Subscriber.objects.filter(condition).values_list("pk", flat=True)[:2]
    return Sought(found[0]) if len(found) == 1 else Sought(where=(field, value))


def _number(text: str) -> int | None:
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 19:
        return None
    return int(digits) if int(digits) < _MOST else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) in {32, 36} else None
    except ValueError:
        return None
