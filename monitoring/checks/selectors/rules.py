"""Rules as people look at them: the value of now beside its threshold, and how it came there."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from jobs import sql
from lib import clock, durations
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alerts_open
from monitoring.checks.models import RuleState
from monitoring.checks.models.rule import RuleCondition
from monitoring.checks.rules.all import BY_NAME, RULES
from monitoring.checks.rules.judging import cooldown_of, threshold_of
from monitoring.checks.rules.rule import Rule, Unit

TREND = timedelta(hours=24)
PIECES = 96
ALERTS_SHOWN = 200
_FULL = 1.5  # a meter ends at this multiple of the threshold
_ORDER = {"over": 0, "unknown": 1, "ok": 2, "idle": 2, "off": 3}


@dataclass(slots=True)
class RuleView:
    """A rule. trend: (piece of the last 24 hours, worst value in it). condition "new": not measured."""

    rule: Rule
    row: RuleState | None
    threshold: float
    cooldown: timedelta
    trend: list[tuple[int, float]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    @property
    def condition(self) -> str:
        """One of RuleCondition, or "new"."""
        if self.row is None or (self.row.measured_at is None and self.row.is_on):
            return "new"
        return self.row.condition

    @property
    def is_on(self) -> bool:
        """Whether it may tell anybody."""
        return self.row is None or self.row.is_on

    @property
    def value(self) -> float | None:
        """What was measured last."""
        return self.row.value if self.row else None

    @property
    def is_coming_back(self) -> bool:
        """Within its threshold again, but not yet far enough for its alert to end."""
        return (
            self.condition == RuleCondition.OVER
            and self.value is not None
            and not self.rule.is_beyond(self.value, self.threshold)
        )

    @property
    def value_said(self) -> str:
        """The value with its unit."""
        return "" if self.value is None else say(self.value, self.rule.unit)

    @property
    def threshold_said(self) -> str:
        """The threshold with its unit and its side: "over 5 %", "under 10 %"."""
        side = "under" if self.rule.is_low_bad else "over"
        return f"{side} {say(self.threshold, self.rule.unit)}"

    @property
    def ends_said(self) -> str:
        """The value at which an alert ends, in words."""
        side = "at least" if self.rule.is_low_bad else "at most"
        return f"{side} {say(self.rule.ends_at(self.threshold), self.rule.unit)}"

    @property
    def fill(self) -> float:
        """How full the meter is, in percent of its length."""
        if self.value is None:
            return 0.0
        return min(100.0, 100 * self.value / self.full)

    @property
    def mark(self) -> float:
        """Where the threshold stands on the meter, in percent of its length."""
        return min(100.0, 100 * self.threshold / self.full)

    @property
    def full(self) -> float:
        """The value at the end of the meter."""
        if self.rule.unit is Unit.PERCENT and (self.rule.is_low_bad or self.threshold > 50):
            return 100.0
        if self.rule.is_low_bad:
            return max(4 * self.threshold, 1.0)
        return max(_FULL * self.threshold, 1.0)


def rules_view(*, names: Collection[str] = (), condition: str = "") -> list[RuleView]:
    """All rules, or some: what is over its threshold first. Three queries.

    condition: one of RuleCondition.
    """
    wanted = [rule for rule in RULES if not names or rule.name in names]
    known = [rule.name for rule in wanted]
    rows = {row.name: row for row in RuleState.objects.filter(name__in=known)}
    trends, alerts = _trends(known), _alerts(known)
    views = []
    for rule in wanted:
        row = rows.get(rule.name)
        view = RuleView(rule, row, threshold_of(rule, row), cooldown_of(row))
        view.trend = [
            (number, low if rule.is_low_bad else high)
            for number, low, high in trends.get(rule.name, [])
        ]
        view.alerts = alerts.get(rule.name, [])
        if not condition or view.condition == condition:
            views.append(view)
    return sorted(views, key=lambda view: _ORDER.get(view.condition, 2))


def rule_view(name: str) -> RuleView:
    """One rule; the caller knows that it is there. Three queries."""
    return rules_view(names=[name])[0]


def rules_over() -> list[str]:
    """Titles of the rules that are over their thresholds. One query."""
    found = RuleState.objects.filter(condition=RuleCondition.OVER).values_list("name", flat=True)
    over = set(found)
    return [rule.title for rule in RULES if rule.name in over]


def rules_unknown(*, since: timedelta) -> list[str]:
    """Titles of the rules whose value has not been known for so long. One query."""
    found = RuleState.objects.filter(
        condition=RuleCondition.UNKNOWN, since__lt=clock.now() - since
    ).values_list("name", flat=True)
    return [BY_NAME[name].title for name in found if name in BY_NAME]


def say(value: float, unit: Unit) -> str:
    """A value as people read it."""
    match unit:
        case Unit.COUNT:
            return f"{value:,.0f}"
        case Unit.PERCENT:
            return f"{value:.1f}".removesuffix(".0") + " %"
        case Unit.SECONDS:
            return durations.words(timedelta(seconds=value)) if value else "0 s"
        case Unit.DAYS:
            return f"{value:.1f}".removesuffix(".0") + " days"


def _trends(names: Collection[str]) -> dict[str, list[tuple[int, float, float]]]:
    now = clock.now()
    found = defaultdict[str, list[tuple[int, float, float]]](list)
    for rule, number, low, high in sql.rows(
        """SELECT rule, floor(extract(epoch FROM at - %(begin)s) / %(step_s)s)::int,
            min(value), max(value)
        FROM rule_sample WHERE at >= %(begin)s AND at <= %(now)s AND rule = ANY(%(names)s)
        GROUP BY 1, 2 ORDER BY 1, 2""",
        {
            "begin": now - TREND,
            "now": now,
            "step_s": TREND.total_seconds() / PIECES,
            "names": list(names),
        },
    ):
        found[rule].append((number, low, high))
    return found


def _alerts(names: Collection[str]) -> dict[str, list[Alert]]:
    found = defaultdict[str, list[Alert]](list)
    for alert in alerts_open().filter(rule__in=list(names))[:ALERTS_SHOWN]:
        found[alert.rule].append(alert)
    return found
