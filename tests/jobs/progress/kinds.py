"""An operation of the test's own, kept in memory: what the registry, the socket and the page are shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from jobs.progress import registry
from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Progress, Reason, Stage
from lib.errors import DomainError
from lib.ids import uuid7

VIEW = "jobs.view_batch"
STEER = "jobs.operate_job"


class NotToday(DomainError):
    """Not today."""


@dataclass
class Digging:
    """Holes being dug; `now` is what a look at them shows."""

    now: Progress = field(
        default_factory=lambda: Progress(
            id=uuid7(),
            kind="digging",
            title="Holes along the road",
            state="digging",
            stage=Stage.RUNNING,
            total=10,
            done=4,
            failed=1,
            reasons=[Reason("hit a rock", 1)],
            actions=["pause", "blow_up"],
            unit="holes",
            link="/admin/",
        )
    )
    looks: int = 0
    errors: list[Exception] = field(default_factory=list)  # of the next looks
    paused_by: Any = None

    def set(self, **changes: Any) -> None:
        """Let the next look see something else."""
        self.now = replace(self.now, **changes)

    def find(self, operation_id: UUID) -> Progress | None:
        self.looks += 1
        if self.errors:
            raise self.errors.pop()
        return self.now if operation_id == self.now.id else None

    def pause(self, operation_id: UUID, by: Any) -> None:
        assert operation_id == self.now.id
        self.paused_by = by
        self.set(stage=Stage.PAUSED, state="paused", actions=["resume"])

    def refuse(self, operation_id: UUID, by: Any) -> None:
        raise NotToday


@contextmanager
def digging_registered() -> Iterator[Digging]:
    """The kind, while the block lasts."""
    made = Digging()
    kept, known = dict(registry._kinds), registry._known.copy()
    acts = {
        "pause": Act("Pause", STEER, made.pause, "The shovels rest."),
        "resume": Act("Resume", STEER, made.refuse),
        "blow_up": Act("Blow up", STEER, made.refuse, "There will be noise.", tone="danger"),
    }
    progress_register("digging", made.find, permission=VIEW, acts=acts)
    try:
        yield made
    finally:
        registry._kinds.clear()
        registry._kinds.update(kept)
        registry._known.clear()
        registry._known.update(known)
