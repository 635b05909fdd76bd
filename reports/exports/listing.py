"""The list of exports, newest first, page by page, never counted."""

from dataclasses import dataclass
from uuid import UUID

from reports.exports.models import Export

PAGE = 50


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which exports; empty fields match all."""

    type: str = ""
    state: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class ExportsPage:
    """Some exports, and where the next page starts (None: this was the last)."""

    rows: list[Export]
    after: UUID | None


def exports_page(
    where: ExportFilter, *, after: UUID | None = None, size: int = PAGE
) -> ExportsPage:
    """Those that match, older than `after`. One query."""
    exact = {"type": where.type, "state": where.state, "requested_name": where.who}
    rows = Export.objects.filter(**{name: value for name, value in exact.items() if value})
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: size + 1])
    return ExportsPage(found[:size], found[size - 1].pk if len(found) > size else None)
