"""Who paid and is not served, for the first page of the console."""

from collections.abc import Iterator

from django.db.models import Count

from lib.now import Attention, Severity, attention
from subscriptions.access.gaps import GapKind
from subscriptions.activation.rows import PAGE
from subscriptions.models import AccessGap


@attention(order=1, permission="subscriptions.view_accessgap")
def open_gaps() -> Iterator[Attention]:
    """Money that did not become access."""
    counts = dict(
        AccessGap.objects.filter(healed_at=None).values_list("kind").annotate(count=Count("pk"))
    )
    held = counts.pop(GapKind.HELD, 0)
    others = sum(counts.values())
    yield Attention(
        "person paid and is not served" if others == 1 else "people paid and are not served",
        others,
        Severity.CRITICAL,
        PAGE,
        "See what provider, ledger and panel say, and heal it.",
        runbook="paid_not_served",
    )
    yield Attention(
        "disabled person has paid" if held == 1 else "disabled people have paid",
        held,
        Severity.WARNING,
        f"{PAGE}?kind={GapKind.HELD.value}",
        "Lift the hold, or give the money back.",
        runbook="paid_not_served",
    )
