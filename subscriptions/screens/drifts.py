"""Lists of differences between the panel and us: newest first, page by page."""

from dataclasses import dataclass

from django.db.models import Count

from subscriptions.models import Drift

PAGE = 50


@dataclass(frozen=True, slots=True)
class DriftsPage:
    """Some differences, and where the next page starts (None: this was the last)."""

    rows: list[Drift]
    after: int | None


def drifts_page(
    *, is_open: bool, field: str = "", subscriber_id: int | None = None, after: int | None = None
) -> DriftsPage:
    """Those that match, newest first, with their subscribers. One query."""
    rows = Drift.objects.filter(resolved_at__isnull=is_open)
    if field:
        rows = rows.filter(field=field)
    if subscriber_id is not None:
        rows = rows.filter(subscriber_id=subscriber_id)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.select_related("subscriber").order_by("-id")[: PAGE + 1])
    return DriftsPage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)


def drift_groups() -> list[tuple[str, str, int]]:
    """(field, owner, how many) of the open ones, most first: a list that people keep short."""
    counted = (
        Drift.objects.filter(resolved_at=None)
        .values_list("field", "owner")
        .annotate(count=Count("id"))
        .order_by("-count", "field")
    )
    return [(field, owner, count) for field, owner, count in counted]
