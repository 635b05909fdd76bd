"""Which sweeps there are. A room registers its own in AppConfig.ready():

    sweep_register(SweepKind("subscriptions.disable_expired", ..., chosen=SQL, run=...))

Whatever can take access away from many goes this way, so that the brake sees it first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.context import JobContext
from jobs.outcomes import Outcome
from lib.errors import NotFound
from subscriptions.models import Sweep


class SweepKindUnknown(NotFound):
    """There is no sweep of this name."""

    code = "sweep_unknown"


@dataclass(frozen=True, slots=True)
class SweepKind:
    """A kind of sweep.

    name: the kind of the job that begins it. can_cut: the brake looks at it.
    chosen: SQL that gives (subscriber id, expire_at) of everybody it means; params(now) are its values.
    run(sweep, context): does, or hands to jobs, what is open of a running sweep; safe to repeat.
    """

    name: str
    title: str
    can_cut: bool
    chosen: str
    params: Callable[[datetime], Mapping[str, Any]]
    run: Callable[[Sweep, JobContext | None], Outcome | dict[str, int]]


_kinds: dict[str, SweepKind] = {}


def sweep_register(kind: SweepKind) -> None:
    """Make a kind known. Repeat-safe."""
    _kinds[kind.name] = kind


def sweep_kind(name: str) -> SweepKind:
    """A kind by its name. Raises SweepKindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise SweepKindUnknown(f"there is no sweep {name!r}") from None


def sweep_kinds() -> list[SweepKind]:
    """All kinds, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
