"""What a rule is: a number that is measured, a threshold, and what follows from being beyond it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings

from monitoring.alerts.wording.saying import Says


class Unit(StrEnum):
    """What a value counts. Spans are seconds; shares are percent."""

    COUNT = "count"
    PERCENT = "percent"
    SECONDS = "seconds"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing with a value of its own, which may have an alert of its own. key: of that alert.

    says: what the alert says; link: a path of the console.
    """

    key: str
    value: float
    says: Says
    link: str = ""

    @property
    def title(self) -> str:
        """As the console says it."""
        return self.says.words().title

    @property
    def text(self) -> str:
        """What is known besides."""
        return self.says.words().text

    def shown(self) -> dict[str, Any]:
        """As the page of the rules keeps it."""
        return {
            "key": self.key,
            "title": self.title,
            "value": round(self.value, 3),
            "link": self.link,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured. value None: nothing is there to be measured, and `text` says why.

    value stands for the whole on the page: that of the worst part, or a calm one if there are none.
    hints: values by key of too few cases: they open no alert, but one that is open ends only if they are
    well, too.
    """

    value: float | None
    text: str = ""
    parts: tuple[Part, ...] = ()
    hints: Mapping[str, float] = field(default_factory=dict)


def idle(text: str) -> Reading:
    """There is nothing to measure: what is open of this rule ends."""
    return Reading(None, text)


def few(text: str, **hints: float) -> Reading:
    """There is too little to measure for an alert, and what there is looks like this."""
    return Reading(None, text, hints=hints)


class Unmeasurable(Exception):
    """The value cannot be known now; the text says why. What is open stays, nothing new is told."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `name` is that of its alerts and of its section in docs/runbook.md.

    setting: where its threshold stands when nobody has changed it in the console. is_low_bad: below the
    threshold it is bad. back: how far (as a share of the threshold) a value must come back before the
    alert ends, so that one that trembles at the threshold gives one alert. looks: so many in a row must
    be beyond it. is_guest: another room opens and clears these alerts; this one only makes them worse.
    """

    name: str
    title: str
    summary: str
    severity: str
    unit: Unit
    setting: str
    measure: Callable[[], Reading]
    is_low_bad: bool = False
    back: float = 0.1
    looks: int = 1
    is_guest: bool = False
    parent: tuple[str, str] | None = None
    source: str = "monitoring.check_anomalies"

    @property
    def default(self) -> float:
        """The threshold of the settings."""
        return float(getattr(settings, self.setting))

    def is_beyond(self, value: float, threshold: float) -> bool:
        """Whether this is bad enough for an alert."""
        return value < threshold if self.is_low_bad else value > threshold

    def ends_at(self, threshold: float) -> float:
        """The value from which on an alert that is open ends."""
        if self.is_low_bad:
            return threshold * (1 + self.back)
        end = threshold * (1 - self.back)
        return float(math.floor(end)) if self.unit is Unit.COUNT else end

    def is_back(self, value: float, threshold: float) -> bool:
        """Whether an alert that is open ends."""
        end = self.ends_at(threshold)
        return value >= end if self.is_low_bad else value <= end
