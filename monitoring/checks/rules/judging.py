"""From values to alerts: thresholds, looks in a row, coming back, cooldowns. One transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from monitoring.alerts.services import alert_raise, alerts_clear_others, alerts_open
from monitoring.checks.models import RuleSample, RuleState
from monitoring.checks.models.rule import RuleCondition
from monitoring.checks.rules.measuring import Measured
from monitoring.checks.rules.rule import Part, Reading, Rule

PARTS_SHOWN = 8
_FIELDS = [
    "condition", "since", "value", "text", "parts", "memory", "measured_at", "alerted_at",
    "held_back",
]  # fmt: skip


@dataclass(slots=True)
class Judged:
    """How many alerts a round opened, held back for their cooldown, and ended."""

    raised: list[str] = field(default_factory=list)
    held_back: list[str] = field(default_factory=list)
    cleared: int = 0


@transaction.atomic
def rules_judge(rules: Collection[Rule], measured: Mapping[str, Measured], at: datetime) -> Judged:
    """Write the values of a round, and raise and clear what follows from them.

    Repeat: a round that is not later than what a row knows changes nothing of it. Locks: the rows of
    the rules by name, then those of their alerts.
    """
    judged, samples, fresh = Judged(), list[RuleSample](), list[RuleState]()
    rows = {row.name: row for row in rules_lock([rule.name for rule in rules])}
    raised = _raised(rows)
    for rule in sorted(rules, key=lambda each: each.name):
        row, found = rows[rule.name], measured[rule.name]
        if row.measured_at is not None and row.measured_at >= at:
            continue
        fresh.append(row)
        row.measured_at = at
        condition = _judge(rule, row, found, raised[rule.name], at, judged)
        if condition != row.condition or row.since is None:
            row.condition, row.since = condition, at
        if row.value is not None:
            samples.append(RuleSample(at=at, rule=rule.name, value=row.value))
    RuleState.objects.bulk_update(fresh, _FIELDS)
    RuleSample.objects.bulk_create(samples)
    return judged


def rules_lock(names: Collection[str]) -> list[RuleState]:
    """The rows of rules, locked in the order of their names; made if there are none."""
    found = RuleState.objects.select_for_update(no_key=True).filter(name__in=names)
    rows = list(found.order_by("name"))
    if len(rows) < len(names):
        RuleState.objects.bulk_create(
            [RuleState(name=name) for name in sorted(names)], ignore_conflicts=True
        )
        rows = list(found.order_by("name"))
    return rows


def threshold_of(rule: Rule, row: RuleState | None) -> float:
    """The threshold in force: that of the console, or that of the settings."""
    return rule.default if row is None or row.threshold is None else row.threshold


def cooldown_of(row: RuleState | None) -> timedelta:
    """The cooldown in force."""
    usual: timedelta = settings.RULE_COOLDOWN
    return usual if row is None or row.cooldown is None else row.cooldown


def _raised(rows: Collection[str]) -> Mapping[str, dict[str, str]]:
    """The severities of what is open, by rule and key."""
    found = defaultdict[str, dict[str, str]](dict)
    opened = alerts_open().filter(rule__in=list(rows)).values_list("rule", "key", "severity")
    for rule, key, severity in opened:
        found[rule][key] = severity
    return found


def _judge(
    rule: Rule,
    row: RuleState,
    found: Measured,
    raised: dict[str, str],
    at: datetime,
    judged: Judged,
) -> RuleCondition:
    reading = found.reading
    row.held_back = 0
    if reading is None:  # nobody knows: what is open stays open, and nothing new is told
        row.value, row.text = None, found.why[:500]
        return RuleCondition.UNKNOWN if row.is_on else RuleCondition.OFF
    threshold = threshold_of(rule, row)
    row.value, row.text = reading.value, reading.text[:500]
    row.parts = _worst_first(rule, reading)
    if not row.is_on:
        return RuleCondition.OFF
    beyond = [part for part in reading.parts if rule.is_beyond(part.value, threshold)]
    known = {**reading.hints, **{part.key: part.value for part in reading.parts}}
    stays = {key for key, value in known.items() if not rule.is_back(value, threshold)}
    if rule.is_guest:
        _worsen(rule, row, beyond, raised, at)
    else:
        _raise(rule, row, beyond, raised, at, judged)
    if raised.keys() - stays and not rule.is_guest:
        judged.cleared += alerts_clear_others(rule=rule.name, keys=stays)
    if beyond or raised.keys() & stays:
        return RuleCondition.OVER
    return RuleCondition.IDLE if reading.value is None else RuleCondition.OK


def _worst_first(rule: Rule, reading: Reading) -> list[dict[str, object]]:
    sign = 1 if rule.is_low_bad else -1
    parts = sorted(reading.parts, key=lambda part: (sign * part.value, part.key))
    return [part.shown() for part in parts[:PARTS_SHOWN]]


def _worsen(
    rule: Rule, row: RuleState, beyond: list[Part], raised: dict[str, str], at: datetime
) -> None:
    """Give alerts that another room has opened the severity of this rule, once each."""
    for part in beyond:
        if raised.get(part.key, rule.severity) != rule.severity:
            row.alerted_at = at
            _alert(rule, part, at)


def _raise(
    rule: Rule,
    row: RuleState,
    beyond: list[Part],
    raised: dict[str, str],
    at: datetime,
    judged: Judged,
) -> None:
    """Raise what was beyond the threshold for long enough and is not cooling down."""
    before, memory = row.memory, dict[str, dict[str, object]]()
    cooldown = cooldown_of(row)
    for key, kept in before.items():  # what cools down is remembered, what is over is forgotten
        last = kept.get("raised_at")
        if last and datetime.fromisoformat(last) + cooldown > at:
            memory[key] = {"raised_at": last}
    for part in beyond:
        looks = before.get(part.key, {}).get("looks", 0) + 1
        memory.setdefault(part.key, {})["looks"] = looks
        if looks < rule.looks and part.key not in raised:
            continue
        if part.key not in raised:
            if "raised_at" in memory[part.key]:
                row.held_back += 1
                judged.held_back.append(f"{rule.name} {part.key}")
                continue
            memory[part.key]["raised_at"] = at.isoformat()
            row.alerted_at = at
            judged.raised.append(f"{rule.name} {part.key}")
        _alert(rule, part, at)
    row.memory = memory


def _alert(rule: Rule, part: Part, at: datetime) -> None:
    alert_raise(
        rule=rule.name,
        key=part.key[:200],
        severity=rule.severity,
        says=part.says,
        link=part.link,
        source=rule.source,
        parent=rule.parent,
        at=at,
    )
