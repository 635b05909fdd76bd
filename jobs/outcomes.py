"""How a job may end. A job returns one of these; anything else it returns is the result of Done.

    Done      finished, with a result
    Retry     failed, an attempt is spent, the ladder says when (or `after`)
    Snooze    not now, no attempt spent
    Cancel    never again, and nobody needs to look
    Dead      never again, and somebody must look
Anything raised is a Retry with its text; JobCancelled (a person's wish) a Cancel.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Done:
    """Finished. `result` is JSON and is kept for RESULT_TTL_SECONDS."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Failed; try again after `after`, or after the next delay of the ladder."""

    error: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """Not possible now through no fault of the job; spends no attempt."""

    after: timedelta
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Not needed any more, or never possible, and nobody has to look at it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Never possible as it is; a person must look."""

    error: str


Outcome = Done | Retry | Snooze | Cancel | Dead
