"""Writing what became of one person of a sweep, and noticing when it was the last one."""

from datetime import timedelta
from uuid import UUID

from jobs.alerts import attention
from lib import clock
from subscriptions.lifecycle.kinds import sweep_kind
from subscriptions.lifecycle.sweeps import address_of
from subscriptions.models import Sweep, SweepItem, SweepState

DONE, SKIPPED, UNKNOWN, FAILED = "done", "skipped", "unknown", "failed"
QUIET = timedelta(hours=6)  # between two alerts about the same trouble
_COUNTED = (DONE, SKIPPED, UNKNOWN, FAILED)


def item_begin(sweep_id: UUID, item_id: int) -> bool:
    """Mark an item as begun: from now on a stop waits for its end. False: it is not to be done.

    Call it in a transaction. Locks: the sweep, then the item.
    """
    sweep = Sweep.objects.select_for_update(no_key=True).get(pk=sweep_id)
    item = SweepItem.objects.select_for_update(no_key=True).get(pk=item_id)
    if item.fate or (sweep.state != SweepState.RUNNING and item.at is None):
        return False
    if item.at is None:
        item.at = clock.now()
        item.save(update_fields=["at"])
    return True


def items_decide(sweep_id: UUID, item_ids: list[int], fate: str, reason: str) -> int:
    """Give open items their fate and count them; whoever decides the last one ends the sweep.

    Returns how many were open. Call it in a transaction. Locks: the sweep, then its items.
    Repeat: what has a fate keeps it.
    """
    assert fate in _COUNTED, fate
    sweep = Sweep.objects.select_for_update(no_key=True).get(pk=sweep_id)
    count = SweepItem.objects.filter(pk__in=item_ids, sweep=sweep, fate="").update(
        fate=fate, reason=reason, at=clock.now()
    )
    if not count:
        return 0
    setattr(sweep, fate, getattr(sweep, fate) + count)
    settled = sum(getattr(sweep, each) for each in _COUNTED)
    if settled >= sweep.found and sweep.state == SweepState.RUNNING:
        sweep.state, sweep.finished_at = SweepState.DONE, clock.now()
        _tell_unsure(sweep)
    sweep.save(update_fields=[fate, "state", "finished_at"])
    return count


def _tell_unsure(sweep: Sweep) -> None:
    unsure = sweep.unknown + sweep.failed
    if not unsure or _is_told_lately(sweep):
        return
    attention(
        group=f"sweep-unsure:{sweep.name}",
        title=f"{sweep_kind(sweep.name).title}: nothing could be done for {unsure} people",
        text="The panel did not answer as it should, however often it was asked. "
        "Nobody of them was cut; the next run looks at them again.",
        severity="critical",
        link=address_of(sweep.pk),
    )


def _is_told_lately(sweep: Sweep) -> bool:
    """Whether the run before ended so, too: one alert for one trouble, again after a while."""
    before = (
        Sweep.objects.filter(
            name=sweep.name, state=SweepState.DONE, finished_at__gt=clock.now() - QUIET
        )
        .exclude(pk=sweep.pk)
        .order_by("-id")
        .first()
    )
    return before is not None and before.unknown + before.failed > 0
