"""What leaves and what went: kinds of cleanup with their last runs, and the runs page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.selectors.schedules import ScheduleView, schedules_list
from lib.errors import NotFound
from reports.retention.models import RetentionRun, RunState
from reports.retention.others import OTHERS, Other
from reports.retention.policies import Policy, policies
from reports.retention.sizes import Holds, holds_now

PAGE = 50
OPEN = (RunState.WAITING, RunState.RUNNING)
ENDED = (RunState.DONE, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class PolicyNow:
    """A kind of cleanup as it stands. open: a run that waits or runs; counted: the last dry run."""

    policy: Policy
    kept: str
    holds: Holds
    schedule: ScheduleView | None
    open: RetentionRun | None
    last: RetentionRun | None
    counted: RetentionRun | None

    @property
    def next_at(self) -> datetime | None:
        """When it runs next by itself; None: paused, or not written by migrate yet."""
        if self.schedule is None or self.schedule.condition != "active":
            return None
        return self.schedule.next_at


@dataclass(frozen=True, slots=True)
class OtherNow:
    """A cleanup of another room."""

    other: Other
    kept: str
    schedule: ScheduleView | None


def policies_now() -> tuple[list[PolicyNow], list[OtherNow]]:
    """All kinds, ours and those of other rooms. A few queries, and none counts a table."""
    holds = holds_now()
    schedules = {view.entry.kind: view for view in schedules_list()}
    last = _latest(is_dry=False)
    counted = _latest(is_dry=True)
    opened = {run.kind: run for run in RetentionRun.objects.filter(state__in=OPEN).order_by("id")}
    ours = [
        PolicyNow(
            each,
            each.kept(),
            holds[each.kind],
            schedules.get(each.kind),
            opened.get(each.kind),
            last.get(each.kind),
            counted.get(each.kind),
        )
        for each in policies()
    ]
    others = [OtherNow(each, each.kept(), schedules.get(each.kind)) for each in OTHERS]
    return ours, others


def _latest(*, is_dry: bool, states: Sequence[str] = ENDED) -> dict[str, RetentionRun]:
    """The last ended run of each kind."""
    kinds = [each.kind for each in policies()]
    found = RetentionRun.objects.raw(
        """SELECT r.* FROM unnest(%s::text[]) AS k (kind) CROSS JOIN LATERAL (
            SELECT * FROM retention_run r
            WHERE r.kind = k.kind AND r.is_dry = %s AND r.state = ANY (%s)
            ORDER BY r.id DESC LIMIT 1
        ) r""",
        [kinds, is_dry, [str(state) for state in states]],
    )
    return {run.kind: run for run in found}


def last_done() -> list[RetentionRun]:
    """The last real run of each kind that ended well. One query."""
    return list(_latest(is_dry=False, states=[RunState.DONE]).values())


def failed_kinds() -> list[str]:
    """Kinds whose last real run failed. One query."""
    return sorted(
        kind for kind, run in _latest(is_dry=False).items() if run.state == RunState.FAILED
    )


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs; empty fields match all. is_dry None: both."""

    kind: str = ""
    state: str = ""
    is_dry: bool | None = None


@dataclass(frozen=True, slots=True)
class RunsPage:
    """Some runs, and where the next page starts (None: this was the last)."""

    runs: list[RetentionRun]
    after: UUID | None


def runs_page(where: RunFilter, *, after: UUID | None = None, size: int = PAGE) -> RunsPage:
    """Runs, newest first. One query on an index."""
    exact: dict[str, Any] = {"kind": where.kind, "state": where.state}
    given = {name: value for name, value in exact.items() if value}
    if where.is_dry is not None:
        given["is_dry"] = where.is_dry
    if after is not None:
        given["pk__lt"] = after
    found = list(RetentionRun.objects.filter(**given).order_by("-pk")[: size + 1])
    more = len(found) > size
    return RunsPage(found[:size], found[size - 1].pk if more else None)


def run_get(run_id: UUID) -> RetentionRun:
    """One run. Raises NotFound."""
    run = RetentionRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no retention run {run_id}")
    return run
