"""Open questions about money, and those that were answered."""

from dataclasses import dataclass

from lib.errors import InputInvalid, NotFound
from payments.models import Review, ReviewReason

PAGE = 50


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """Some questions, and where the next page starts (None: this was the last)."""

    reviews: list[Review]
    after: int | None


def reviews_page(
    *, is_open: bool = True, reason: str = "", after: int | None = None, size: int = PAGE
) -> ReviewsPage:
    """Newest first, with their payments. One query. Raises InputInvalid for a reason that is none."""
    if reason and reason not in ReviewReason.values:
        raise InputInvalid(f"reason must be one of {', '.join(ReviewReason.values)}")
    rows = Review.objects.select_related("payment").filter(resolved_at__isnull=is_open)
    if reason:
        rows = rows.filter(reason=reason)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-id")[: size + 1])
    more = len(found) > size
    return ReviewsPage(found[:size], found[size - 1].pk if more else None)


def review_get(review_id: int) -> Review:
    """One of them. Raises NotFound."""
    row = Review.objects.select_related("payment", "webhook").filter(pk=review_id).first()
    if row is None:
        raise NotFound(f"there is no question {review_id}")
    return row
