"""The moments between which a day lies, and how far back its sources reach."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lib import clock

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A UTC day: begin belongs to it, end no longer does."""

    day: date
    begin: datetime
    end: datetime

    @property
    def is_over(self) -> bool:
        """Whether it lies behind us."""
        return self.end <= clock.now()

    def is_within(self, kept: timedelta) -> bool:
        """Whether a source that is kept for so long still has all of it, by a day's margin."""
        return self.begin >= clock.now() - kept + DAY

    def params(self) -> dict[str, datetime]:
        """What the statements of this folder are given."""
        return {"begin": self.begin, "end": self.end}


def span_of(day: date) -> Span:
    """The moments of a day."""
    begin = datetime.combine(day, time(), UTC)
    return Span(day, begin, begin + DAY)


def today() -> date:
    """The day that runs, in UTC."""
    return clock.now().astimezone(UTC).date()
