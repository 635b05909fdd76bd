"""Sweeps on the page that all long operations have (/progress/<id>)."""

from uuid import UUID

from django.db.models import Count

from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Progress, Reason, Stage
from subscriptions.lifecycle import reasons
from subscriptions.lifecycle.kinds import sweep_kind
from subscriptions.lifecycle.sweeps import address_of, sweep_approve, sweep_refuse, sweep_stop
from subscriptions.models import Sweep, SweepItem, SweepState

REASONS = 10
VIEW = "subscriptions.view_sweep"
OPERATE = "subscriptions.operate_sweep"
_STAGES = {SweepState.HELD: Stage.PAUSED, SweepState.RUNNING: Stage.RUNNING}
_ACTS = {SweepState.HELD: ("approve", "refuse"), SweepState.RUNNING: ("stop",)}


def sweep_progress(sweep_id: UUID) -> Progress | None:
    """A look at a sweep. Two queries, one if nobody was skipped."""
    sweep = Sweep.objects.filter(pk=sweep_id).first()
    if sweep is None:
        return None
    state = SweepState(sweep.state)
    return Progress(
        id=sweep.pk,
        kind="sweep",
        title=sweep_kind(sweep.name).title,
        state=state.label,
        stage=_STAGES.get(state, Stage.OVER),
        total=sweep.found,
        done=sweep.done,
        failed=sweep.failed,
        skipped=sweep.skipped,
        unknown=sweep.unknown,
        started_at=sweep.decided_at or sweep.started_at,
        finished_at=sweep.finished_at,
        reasons=reasons_of(sweep),
        actions=_ACTS.get(state, ()),
        unit="people",
        note=sweep.held_reason,
        link=address_of(sweep.pk),
    )


def reasons_of(sweep: Sweep) -> list[Reason]:
    """Why not, most frequent first."""
    if not sweep.failed and not sweep.skipped and not sweep.unknown:
        return []
    found = (
        SweepItem.objects.filter(sweep=sweep, fate__in=["failed", "skipped", "unknown"])
        .values_list("fate", "reason")
        .annotate(count=Count("id"))
        .order_by("-count", "reason")[:REASONS]
    )
    return [Reason(reasons.item_reason(reason), count, fate) for fate, reason, count in found]


def register() -> None:
    """Called when the apps are ready."""
    progress_register(
        "sweep",
        sweep_progress,
        permission=VIEW,
        acts={
            "approve": Act(
                "Approve",
                OPERATE,
                lambda sweep_id, by: sweep_approve(sweep_id=sweep_id, by=by),
                "Exactly these people are looked at again, one by one, and cut if it is still so.",
                "danger",
            ),
            "refuse": Act(
                "Refuse",
                OPERATE,
                lambda sweep_id, by: sweep_refuse(sweep_id=sweep_id, by=by),
                "Nobody of them is cut, also not in later runs, as long as their date is the same.",
                "primary",
            ),
            "stop": Act(
                "Stop",
                OPERATE,
                lambda sweep_id, by: sweep_stop(sweep_id=sweep_id, by=by),
                "Nobody more is begun. The next run finds them again.",
                "danger",
            ),
        },
    )
