"""A part of a comparison: what one look at one side has found, and about whom it gave an answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from jobs.context import current_job
from subscriptions.access.gaps import Found, GapKind

LATE = timedelta(seconds=60)


@dataclass(slots=True)
class Part:
    """What one part of a run saw. sure: the payments about which somebody gave an answer; None: all."""

    kinds: Sequence[GapKind]
    found: list[Found] = field(default_factory=list)
    sure: set[UUID] | None = field(default_factory=set)
    asked: int = 0
    unknown: int = 0

    def over(self, open_gaps: Collection[tuple[UUID, str]]) -> list[tuple[UUID, GapKind]]:
        """Those of the open gaps that this part would have seen, and has not."""
        still = {(each.payment_id, each.kind) for each in self.found}
        return [
            (payment_id, GapKind(kind))
            for payment_id, kind in open_gaps
            if kind in self.kinds
            and (self.sure is None or payment_id in self.sure)
            and (payment_id, kind) not in still
        ]


def check() -> None:
    """Stop here if the job of this thread has to. For loops."""
    job = current_job()
    if job is not None:
        job.check()
