"""The brake: a sweep that would cut unusually many waits for a person. Pure numbers.

Three limits, all of them settings of the sweep: how many at all, which share of all who are served,
how many times what is usual. Few people are never held for their share or for what is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from subscriptions.models import SweepSettings

RUNS = 20  # the last ones that found anybody: from them comes what is usual
RUNS_LEAST = 3  # before that nobody knows what is usual


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is. usual is None until there were enough runs; served None if not counted."""

    found: int
    usual: int | None
    served: int | None


def usual_of(found: Sequence[int]) -> int | None:
    """The median of the sizes of the last runs."""
    if len(found) < RUNS_LEAST:
        return None
    return round(median(found))


def is_counting_needed(found: int, limits: SweepSettings) -> bool:
    """Whether it takes a count of all who are served to decide."""
    return found >= limits.least and found <= limits.most


def held_reason(size: Size, limits: SweepSettings) -> str:
    """Why a run of this size has to wait, in a sentence; empty: it need not."""
    if size.found > limits.most:
        return f"{size.found} people are more than the limit of {limits.most}."
    if size.found < limits.least:
        return ""
    if size.served is not None and size.found * 100 > limits.share * size.served:
        percent = Decimal(100 * size.found) / max(size.served, 1)
        return (
            f"{size.found} people are {percent:.2f} % of all {size.served} who are served; "
            f"the limit is {limits.share.normalize():f} %."
        )
    if size.usual is not None and size.found > limits.times_usual * size.usual:
        return (
            f"{size.found} people are more than {limits.times_usual.normalize():f} times the "
            f"usual {size.usual}."
        )
    return ""
