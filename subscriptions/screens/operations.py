"""Lists of bulk operations and of their people: page by page, never counted beyond one operation."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from subscriptions.bulk.rules import REASONS
from subscriptions.models import BulkItem, BulkOperation, ItemState

PAGE = 50
_ORDER = [ItemState.FAILED, ItemState.RUNNING, ItemState.PENDING, ItemState.SKIPPED, ItemState.DONE]


@dataclass(frozen=True, slots=True)
class OperationFilter:
    """Which operations; empty fields match all."""

    kind: str = ""
    state: str = ""
    source: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """Some operations, and where the next page starts (None: this was the last)."""

    rows: list[BulkOperation]
    after: UUID | None


@dataclass(frozen=True, slots=True)
class Fate:
    """A fate with its reason, and how many have it. key names it in an address."""

    state: str
    reason: str
    count: int

    @property
    def key(self) -> str:
        return f"{self.state}:{self.reason}"

    @property
    def words(self) -> str:
        """The reason for people; empty where none is needed."""
        return REASONS.get(self.reason, self.reason.replace("_", " "))


@dataclass(frozen=True, slots=True)
class ItemsPage:
    """Some of the people of an operation, and where the next page starts (0: this was the last)."""

    rows: list[BulkItem]
    after: int


def operations_page(where: OperationFilter, *, after: UUID | None = None) -> OperationsPage:
    """Those that match, newest first. One query."""
    exact = {
        "kind": where.kind,
        "state": where.state,
        "source": where.source,
        "created_by": where.who,
    }
    rows = BulkOperation.objects.filter(**{name: value for name, value in exact.items() if value})
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-id")[: PAGE + 1])
    return OperationsPage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)


def fates_of(operation_id: UUID) -> list[Fate]:
    """All fates of an operation, what failed first. One query on bulk_item_by_reason."""
    counted = (
        BulkItem.objects.filter(operation_id=operation_id)
        .values_list("state", "reason")
        .annotate(count=Count("id"))
        .order_by()
    )
    found = [Fate(*row) for row in counted]
    return sorted(found, key=lambda fate: (_ORDER.index(ItemState(fate.state)), -fate.count))


def items_page(operation_id: UUID, fate: Fate | None, *, after: int = 0) -> ItemsPage:
    """The people of one fate, in their order. One query."""
    if fate is None:
        return ItemsPage([], 0)
    rows = BulkItem.objects.filter(
        operation_id=operation_id, state=fate.state, reason=fate.reason, pk__gt=after
    )
    found = list(rows.select_related("subscriber").order_by("id")[: PAGE + 1])
    return ItemsPage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else 0)
