"""The smallest rows that the tests of the broadcasts need, and looks at what became of them."""

from collections import Counter
from typing import Any
from uuid import UUID

from notifications.broadcasts.models import Broadcast, LedgerRow, Tally
from notifications.broadcasts.services import broadcast_create
from notifications.inbox.models import Recipient

EVERYBODY = {"type": "all_users"}


def people_make(
    count: int, *, first: int = 1, telegram: bool = False, **changes: Any
) -> list[Recipient]:
    """So many people: u1, u2, ...; with telegram each has a chat of the same number plus 1000."""
    return Recipient.objects.bulk_create(
        Recipient(
            user_id=n, login=f"u{n}", **{"telegram_id": 1000 + n if telegram else None, **changes}
        )
        for n in range(first, first + count)
    )


def broadcast_make(**changes: Any) -> Broadcast:
    """A draft to everybody in the inbox."""
    given: dict[str, Any] = {
        "title": "Feature launch", "body": "We are live!", "audience": EVERYBODY, "by": None, **changes
    }  # fmt: skip
    return broadcast_create(**given)


def fates(broadcast_id: UUID) -> Counter[tuple[str, str, str]]:
    """How many rows of the ledger are where: (channel, fate, reason) -> count."""
    rows = LedgerRow.objects.filter(broadcast_id=broadcast_id)
    return Counter(rows.values_list("channel", "fate", "reason"))


def adds_up(broadcast_id: UUID) -> Broadcast:
    """The broadcast, after a look that its numbers and its tally are those of its ledger."""
    row = Broadcast.objects.get(pk=broadcast_id)
    by_fate: Counter[str] = Counter()
    counted: Counter[tuple[str, str, str]] = Counter()
    for (channel, fate, reason), count in fates(broadcast_id).items():
        by_fate[fate] += count
        is_open = fate in {"pending", "sending"}
        counted[(channel, "pending", "") if is_open else (channel, fate, reason)] += count
    tally = {
        (each.channel, each.fate, each.reason): each.count
        for each in Tally.objects.filter(broadcast_id=broadcast_id).exclude(count=0)
    }
    assert tally == dict(counted)
    assert row.total == sum(by_fate.values())
    for fate in ("sent", "failed", "skipped", "unknown"):
        assert getattr(row, fate) == by_fate[fate], fate
    return row
