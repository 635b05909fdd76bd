"""The lines of money to access, page by page."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from subscriptions.access.selectors import PAGE_SIZE, GapLine, gap_lines, gaps_query


@dataclass(frozen=True, slots=True)
class GapsPage:
    """Some lines, and where the next page starts (empty: this was the last)."""

    lines: list[GapLine]
    after: str


def gaps_page(
    *, kind: str = "", is_open: bool = True, payment_id: UUID | None = None, after: str = ""
) -> GapsPage:
    """Open gaps, those of longest ago first; closed ones, the latest first. Two queries."""
    rows = gaps_query(kind=kind, is_open=is_open)
    if payment_id is not None:
        rows = rows.filter(payment_id=payment_id)
    mark = _mark(after)
    if mark is not None:
        at, key = mark
        if is_open:
            rows = rows.filter(found_at__gte=at).exclude(found_at=at, pk__lte=key)
        else:
            rows = rows.filter(healed_at__lte=at).exclude(healed_at=at, pk__gte=key)
    found = list(rows[: PAGE_SIZE + 1])
    more = ""
    if len(found) > PAGE_SIZE:
        last = found[PAGE_SIZE - 1]
        moment = last.found_at if is_open else last.healed_at
        more = f"{moment.isoformat()}_{last.pk}" if moment else ""
    return GapsPage(gap_lines(found[:PAGE_SIZE]), more)


def _mark(after: str) -> tuple[datetime, int] | None:
    at, _, key = after.rpartition("_")
    try:
        moment = datetime.fromisoformat(at.replace(" ", "+"))
    except ValueError:
        return None
    is_key = key.isascii() and key.isdigit() and len(key) <= 18
    return (moment, int(key)) if is_key and moment.tzinfo is not None else None
