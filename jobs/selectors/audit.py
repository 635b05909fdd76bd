"""The audit log, newest first, page by page."""

from dataclasses import dataclass
from datetime import datetime

from jobs.models import AuditEntry

PAGE = 50
_LATELY = 5_000  # entries whose actions are offered as a choice


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
    """The entries that match, older than `after`. One query."""
    exact = {
        "account_name": where.who,
        "action": where.action,
        "object_type": where.object_type,
        "object_id": where.object_id,
    }
    found = AuditEntry.objects.filter(**{name: value for name, value in exact.items() if value})
    if where.since:
        found = found.filter(at__gte=where.since)
    if where.until:
        found = found.filter(at__lt=where.until)
    if after is not None:
        found = found.filter(pk__lt=after)
    entries = list(found.order_by("-id")[: PAGE + 1])
    more = len(entries) > PAGE
    return AuditPage(entries[:PAGE], entries[PAGE - 1].pk if more else None)


def audit_actions() -> list[str]:
    """The actions that were done lately, for a choice."""
    lately = AuditEntry.objects.order_by("-id").values("action")[:_LATELY]
    return sorted({row["action"] for row in lately})
