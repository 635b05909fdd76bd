"""The audit log, newest first, page by page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from jobs.models import AuditEntry

PAGE = 50
_LATELY = 5_000  # entries whose actions are offered as a choice
_SKEW = timedelta(hours=1)  # far more than ids and moments of entries can be out of step


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; empty fields match all."""

    who: str = ""
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, and where the next page starts (None: this was the last)."""

    entries: list[AuditEntry]
    after: int | None


def audit_page(where: AuditFilter, *, after: int | None = None) -> AuditPage:
    """The entries that match, older than `after`. One query, and one per end of a span."""
    exact = {
        "account_name": where.who,
        "action": where.action,
        "object_type": where.object_type,
        "object_id": where.object_id,
    }
    found = AuditEntry.objects.filter(**{name: value for name, value in exact.items() if value})
    found = _between(found, where.since, where.until)
    if after is not None:
        found = found.filter(pk__lt=after)
    entries = list(found.order_by("-id")[: PAGE + 1])
    more = len(entries) > PAGE
    return AuditPage(entries[:PAGE], entries[PAGE - 1].pk if more else None)


def _between(
    found: QuerySet[AuditEntry], since: datetime | None, until: datetime | None
) -> QuerySet[AuditEntry]:
    """Those of a span. Ids grow with time, so its ends are ids: else a span long ago would be looked for
    through all that came after it."""
    every = AuditEntry.objects.values_list("pk", flat=True)
    if since:
        found = found.filter(at__gte=since)
        before = every.filter(at__lt=since - _SKEW).order_by("-at").first()
        found = found if before is None else found.filter(pk__gt=before)
    if until:
        found = found.filter(at__lt=until)
        behind = every.filter(at__gte=until + _SKEW).order_by("at").first()
        found = found if behind is None else found.filter(pk__lt=behind)
    return found


def audit_actions() -> list[str]:
    """The actions that were done lately, for a choice."""
    lately = AuditEntry.objects.order_by("-id").values("action")[:_LATELY]
    return sorted({row["action"] for row in lately})
