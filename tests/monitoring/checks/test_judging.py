"""From values to alerts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext

from jobs import sql
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_clear, alert_raise
from monitoring.alerts.wording.foreign import attention_says
from monitoring.checks.models import RuleSample, RuleState
from monitoring.checks.rules.judging import Judged, rules_judge
from monitoring.checks.rules.measuring import MOST_MS, rules_measure
from monitoring.checks.rules.rule import Part, Reading, Rule, Unmeasurable, few
from monitoring.checks.services import anomalies_check, rule_change
from tests.monitoring.checks.conftest import AT, MINUTE, Gauge

Make = Callable[..., Rule]


class Rounds:
    """Rounds of one rule, a minute apart."""

    def __init__(self, rule: Rule, gauge: Gauge) -> None:
        self.rule, self.gauge, self.at = rule, gauge, AT

    def __call__(self, says: float | dict[str, float] | Exception | None, later: int = 1) -> Judged:
        self.gauge.says = says
        self.at += MINUTE * later
        return rules_judge([self.rule], rules_measure([self.rule]), self.at)

    @property
    def row(self) -> RuleState:
        return RuleState.objects.get(pk=self.rule.name)


@pytest.fixture
def rounds(make_rule: Make, gauge: Gauge) -> Rounds:
    return Rounds(make_rule(), gauge)


def open_keys() -> list[str]:
    return sorted(Alert.objects.filter(resolved_at=None).values_list("key", flat=True))


def test_a_value_within_its_threshold_tells_nobody(rounds: Rounds) -> None:
    rounds(10)
    assert not Alert.objects.exists()
    row = rounds.row
    assert (row.condition, row.value, row.since, row.measured_at) == (
        "ok",
        10,
        rounds.at,
        rounds.at,
    )
    assert RuleSample.objects.get().value == 10


def test_a_value_beyond_its_threshold_is_one_alert_however_long(rounds: Rounds) -> None:
    assert rounds(12).raised == ["error_rate all"]
    for value in (15, 11, 30):
        assert rounds(value).raised == []
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.severity) == ("error_rate", "all", "warning")
    assert (alert.title, alert.source) == ("it is at 30", "monitoring.check_anomalies")
    assert rounds.row.condition == "over"


def test_a_value_that_trembles_at_the_threshold_is_one_alert(rounds: Rounds) -> None:
    for value in (11, 9.5, 10.5, 9.1, 11):
        rounds(value)
        assert rounds.row.condition == "over"
    assert Alert.objects.count() == 1
    assert rounds(9).cleared == 1
    assert rounds.row.condition == "ok"
    assert open_keys() == []


def test_the_same_thing_is_not_told_again_before_the_cooldown_is_over(rounds: Rounds) -> None:
    rounds(12)
    rounds(5)
    assert rounds(12).held_back == ["error_rate all"]
    assert rounds.row.held_back == 1
    assert rounds.row.condition == "over"
    assert open_keys() == []
    assert rounds(12, later=12).held_back == ["error_rate all"]  # 14 minutes after the alert
    assert rounds(12).raised == ["error_rate all"]
    assert rounds.row.held_back == 0


def test_an_alert_that_a_person_resolved_comes_back_after_the_cooldown(rounds: Rounds) -> None:
    rounds(12)
    alert_clear(rule="error_rate", key="all")
    assert rounds(12).raised == []
    assert rounds(12, later=15).raised == ["error_rate all"]


def test_each_key_has_an_alert_and_a_cooldown_of_its_own(rounds: Rounds) -> None:
    rounds({"a": 12, "b": 3})
    assert rounds({"a": 12, "b": 14}).raised == ["error_rate b"]
    assert open_keys() == ["a", "b"]
    assert rounds({"a": 5, "b": 14}).cleared == 1
    assert open_keys() == ["b"]
    assert [part["key"] for part in rounds.row.parts] == ["b", "a"]


def test_what_is_not_there_any_more_ends(rounds: Rounds) -> None:
    rounds({"a": 12, "b": 14})
    rounds({"b": 14})
    assert open_keys() == ["b"]
    rounds({})
    assert open_keys() == []


def test_a_rule_may_want_to_see_it_twice(make_rule: Make, gauge: Gauge) -> None:
    rounds = Rounds(make_rule(looks=2), gauge)
    assert rounds(12).raised == []
    assert rounds.row.condition == "over"
    rounds(5)
    assert rounds(12).raised == []
    assert rounds(12).raised == ["error_rate all"]


def test_low_may_be_bad(make_rule: Make, gauge: Gauge) -> None:
    rounds = Rounds(make_rule(is_low_bad=True), gauge)
    assert rounds(10).raised == []
    assert rounds(9.9).raised == ["error_rate all"]
    assert rounds(10.9).cleared == 0
    assert rounds(11).cleared == 1


@pytest.mark.parametrize("error", [Unmeasurable("nobody looked"), ZeroDivisionError()])
def test_a_value_that_nobody_knows_alerts_nobody_and_ends_nothing(
    rounds: Rounds, error: Exception
) -> None:
    rounds(error)
    assert (rounds.row.condition, rounds.row.value) == ("unknown", None)
    assert not Alert.objects.exists()
    assert not RuleSample.objects.exists()
    rounds(12)
    rounds(error)
    assert rounds.row.condition == "unknown"
    assert open_keys() == ["all"]
    rounds(5)
    assert open_keys() == []


def test_a_rule_says_why_it_cannot_be_measured(rounds: Rounds) -> None:
    rounds(Unmeasurable("nobody looked"))
    assert rounds.row.text == "nobody looked"
    rounds(ZeroDivisionError())
    assert rounds.row.text == "the rule failed: ZeroDivisionError"


def test_where_nothing_is_to_be_measured_an_alert_ends(rounds: Rounds) -> None:
    rounds(12)
    rounds(None)
    assert rounds.row.condition == "idle"
    assert rounds.row.text == "there is nothing to measure"
    assert open_keys() == []


def test_too_few_cases_open_no_alert_and_end_none_that_is_true_still(make_rule: Make) -> None:
    """At night, or because nobody tries any more: what was wrong is not well because little happens."""
    part = Part("all", 50.0, attention_says("test", "half of them fail", ""))
    said = [
        few("9 cases", all=50.0), Reading(50.0, "many", (part,)), few("9 cases", all=50.0),
        few("8 cases", all=9.5), few("8 cases", all=5.0),
    ]  # fmt: skip
    rule = make_rule(measure=lambda: said[0])
    seen = []
    for number in range(len(said)):
        rules_judge([rule], rules_measure([rule]), AT + MINUTE * number)
        seen.append((RuleState.objects.get(pk=rule.name).condition, open_keys()))
        said.pop(0)
    assert seen == [
        ("idle", []), ("over", ["all"]), ("over", ["all"]), ("over", ["all"]), ("idle", []),
    ]  # fmt: skip


def test_a_statement_that_takes_too_long_spoils_its_rule_alone(
    make_rule: Make, gauge: Gauge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.checks.rules.measuring.MOST_MS", 50)

    def slow() -> Reading:
        sql.rows("SELECT pg_sleep(10)")
        raise AssertionError("it was not stopped")

    before = sql.row("SHOW statement_timeout")
    found = rules_measure([make_rule("queue_depth", measure=slow), make_rule("worker_memory")])
    assert found["queue_depth"].reading is None
    assert "did not answer" in found["queue_depth"].why
    assert found["worker_memory"].reading is not None
    assert sql.row("SHOW statement_timeout") == before
    assert MOST_MS == 5000


def test_a_database_that_is_gone_is_no_value_of_anything(
    make_rule: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Reading:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(connections["default"], "is_usable", lambda: False)
    with pytest.raises(OperationalError):
        rules_measure([make_rule(measure=gone)])


def test_a_guest_makes_the_alert_of_another_room_worse_and_ends_none(
    make_rule: Make, gauge: Gauge
) -> None:
    alert_raise(rule="node_offline", key="a", severity="warning", title="a is offline", at=AT)
    rounds = Rounds(make_rule("node_offline", severity="critical", is_guest=True), gauge)
    rounds({"a": 3, "b": 12})
    assert Alert.objects.get().severity == "warning"
    rounds({"a": 12, "b": 12})
    worse = rounds.at
    rounds({"a": 30, "b": 12})
    alert = Alert.objects.get()  # "b" is for the other room to open
    assert (alert.severity, alert.title, rounds.row.alerted_at) == ("critical", "a is at 12", worse)
    rounds({})
    assert open_keys() == ["a"]


def test_what_explains_a_rule_hides_its_alert(make_rule: Make, gauge: Gauge) -> None:
    told = alert_raise(rule="attention", key="access:gaps", severity="critical", title="gaps")
    rounds = Rounds(make_rule(parent=("attention", "access:gaps")), gauge)
    rounds(12)
    assert Alert.objects.get(rule="error_rate").parent == told


def test_a_rule_that_is_switched_off_is_measured_and_tells_nobody(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds(12)
    rule_change(name="error_rate", by=None, is_on=False)
    assert open_keys() == []
    assert rounds(30).raised == []
    assert (rounds.row.condition, rounds.row.value) == ("off", 30)
    rule_change(name="error_rate", by=None, is_on=True)
    assert rounds(30).raised == ["error_rate all"]


def test_the_threshold_of_the_console_counts_before_that_of_the_settings(rounds: Rounds) -> None:
    rounds(12)
    rule_change(name="error_rate", by=None, threshold=50.0, cooldown=timedelta(0))
    assert rounds(12).cleared == 1
    rule_change(name="error_rate", by=None, threshold=None)
    assert rounds(12).raised == ["error_rate all"]


def test_a_round_that_comes_late_changes_nothing(rounds: Rounds) -> None:
    rounds(5)
    late = rules_judge(
        [rounds.rule], {"error_rate": rules_measure([rounds.rule])["error_rate"]}, AT
    )
    assert late == Judged()
    assert rounds.row.measured_at == rounds.at


def test_all_rules_together_cost_a_bounded_number_of_queries(calm: None) -> None:
    anomalies_check()
    RuleState.objects.update(measured_at=AT)
    with CaptureQueriesContext(connection) as asked:
        judged = anomalies_check()
    assert judged.raised == []
    assert set(RuleState.objects.values_list("condition", flat=True)) <= {"ok", "idle", "unknown"}
    # Three for each of 13 rules (two are savepoints), a few of the queues, and the writing.
    assert len(asked) <= 60
