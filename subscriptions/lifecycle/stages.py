"""When somebody is reminded of the end, as data: one bracket applies at a time.

A bracket begins `within` before the end and is over `until` before it, where the next one begins. What
was missed while nothing ran is not made up for: only the bracket of now is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.models import Priority
from subscriptions.models import Stage

TOLD_WITHIN = timedelta(days=3)  # who expired longer ago is not told any more: it would be no news


@dataclass(frozen=True, slots=True)
class Bracket:
    """One reminder. `message` names its template; the nearer the end, the more urgent."""

    stage: Stage
    within: timedelta
    until: timedelta
    priority: Priority

    @property
    def message(self) -> str:
        return f"subscription_expiring_{self.stage}"

    def is_over(self, expire_at: datetime, now: datetime) -> bool:
        """Whether a later bracket applies by now, or the end has come."""
        return now >= expire_at - self.until


BRACKETS = (
    Bracket(Stage.DAYS_7, timedelta(days=7), timedelta(days=3), Priority.NORMAL),
    Bracket(Stage.DAYS_3, timedelta(days=3), timedelta(hours=24), Priority.NORMAL),
    Bracket(Stage.HOURS_24, timedelta(hours=24), timedelta(hours=6), Priority.NORMAL),
    Bracket(Stage.HOURS_6, timedelta(hours=6), timedelta(0), Priority.HIGH),
)
BY_STAGE = {bracket.stage: bracket for bracket in BRACKETS}
