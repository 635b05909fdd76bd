"""Thresholds and where an alert ends."""

from collections.abc import Callable

import pytest

from monitoring.checks.rules.all import RULES
from monitoring.checks.rules.rule import Rule, Unit
from monitoring.checks.selectors.rules import say

pytestmark = pytest.mark.unit

Make = Callable[..., Rule]


@pytest.mark.parametrize(
    ("changes", "threshold", "bad", "fine", "ends"),
    [
        ({}, 10, 10.1, 10, 9),
        ({"unit": Unit.COUNT, "back": 0.2}, 500, 501, 500, 400),
        ({"unit": Unit.COUNT}, 3, 4, 3, 2),
        ({"unit": Unit.COUNT}, 0, 1, 0, 0),
        ({"is_low_bad": True}, 10, 9.9, 10, 11),
    ],
    ids=["percent", "count", "small count", "none allowed", "low is bad"],
)
def test_beyond_is_strict_and_the_way_back_is_longer(
    make_rule: Make,
    changes: dict[str, object],
    threshold: float,
    bad: float,
    fine: float,
    ends: float,
) -> None:
    rule = make_rule(**changes)
    assert rule.is_beyond(bad, threshold)
    assert not rule.is_beyond(fine, threshold)
    assert rule.ends_at(threshold) == pytest.approx(ends)
    assert rule.is_back(rule.ends_at(threshold), threshold)
    assert not rule.is_back(bad, threshold)


def test_every_rule_has_a_threshold_in_the_settings_and_a_sentence() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.default >= 0
        assert rule.summary.endswith("."), rule.name
        assert rule.severity in {"critical", "warning"}, rule.name


def test_the_thresholds_of_the_requirements_are_the_defaults() -> None:
    wanted = {
        "node_offline": (300, "critical"),
        "error_rate": (5, "warning"),
        "queue_depth": (500, "warning"),
        "payment_failures": (10, "critical"),
        "worker_memory": (80, "warning"),
    }
    given = {rule.name: (rule.default, rule.severity) for rule in RULES}
    assert given.items() >= wanted.items()


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (1234, Unit.COUNT, "1,234"),
        (5.25, Unit.PERCENT, "5.2 %"),
        (80, Unit.PERCENT, "80 %"),
        (300, Unit.SECONDS, "5 min"),
        (0, Unit.SECONDS, "0 s"),
        (6.5, Unit.DAYS, "6.5 days"),
    ],
)
def test_values_are_said_with_their_units(value: float, unit: Unit, words: str) -> None:
    assert say(value, unit) == words
