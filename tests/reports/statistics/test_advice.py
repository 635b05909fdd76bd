"""Recommendations: each rule speaks above its limit, is silent below, and says why in both languages."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitoring.checks.known import BY_NAME
from reports.statistics.days.work import PANEL
from reports.statistics.reporting.advice import advice_of
from reports.statistics.reporting.advice_words import SERVICES, WORDS, advice_say
from reports.statistics.reporting.figures import Figures
from tests.reports.statistics.rows import at
from tests.reports.statistics.stats import incident, line, server

pytestmark = pytest.mark.unit
MONDAY = date(2026, 11, 9)


def figures(**changes: Any) -> Figures:
    """A calm week."""
    made = Figures(MONDAY, MONDAY + timedelta(days=6), 7, is_final=True)
    calm: dict[str, Any] = {
        "users_active": 1000, "users_limited": 10, "users_new": 60, "users_lost": 20,
        "traffic_bytes": 10**13, "payments": 100, "payments_failed": 10,
        "revenue": {"USDT": Decimal(500)},
        "by_plan": [{**line("month", "Month", "500", 100), "amount": Decimal(500)}],
        "nodes": [server(name) for name in ("a", "b", "c")],
        "messages_sent": 1000, "messages_failed": 5, "errors_count": 20,
        "errors": [{"text": "E", "count": 20}], "api_latency_ms": 90.0,
    }  # fmt: skip
    for name, value in {**calm, **changes}.items():
        setattr(made, name, value)
    return made


CALM = figures()
TROUBLES: list[tuple[str, dict[str, Any], str]] = [
    (
        "service_away",
        {"incidents": [incident("remnawave", at(MONDAY), what="service")]},
        "The panel did not answer (times: 1)",
    ),
    (
        "node_unsteady",
        {"nodes": [server("fra-1", incidents=3, down_s=5400)]},
        "went down 3 times (1",
    ),
    ("node_uptime", {"nodes": [server("fra-1", uptime=0.981)]}, "up 98.1% of the time, below 99%"),
    ("more_left", {"users_lost": 61}, "More people left (61) than came (60)"),
    (
        "earned_less",
        {
            "revenue": {"USDT": Decimal(400)},
            "by_plan": [{**line("month", "Month", "400", 80), "amount": Decimal(400)}],
        },
        "fell by 20%, from 500.00\u00a0USDT to 400.00\u00a0USDT; the plan Month fell most",
    ),
    (
        "unpaid",
        {"payments_failed": 40},
        "28.6% of the invoices were not paid in time (before: 9.1%)",
    ),
    ("refunds", {"payments_refunded": 6}, "6 payments were refunded, 6% of all"),
    ("one_server", {"nodes": [server("a", bytes=10**14), server("b"), server("c")]}, "98% of the"),
    ("more_traffic", {"traffic_bytes": 13 * 10**12}, "grew by 30% to 11.8\u00a0TB"),
    ("limited", {"users_limited": 60}, "60 people are out of traffic, 5.7% of"),
    ("messages", {"messages_failed": 60}, "60 Telegram messages failed, 5.7% of all"),
    (
        "one_error",
        {"errors_count": 80, "errors": [{"text": "KeyError: 'x'", "count": 50}]},
        "is 62.5% of all (50 times): KeyError: 'x'",
    ),
    ("slow_panel", {"api_latency_ms": 1500.4}, "took 1,500 ms"),
]


def test_a_calm_time_needs_no_advice() -> None:
    assert advice_of(CALM, CALM) == []


@pytest.mark.parametrize(("code", "changes", "words"), TROUBLES, ids=[each[0] for each in TROUBLES])
def test_a_rule_says_what_it_saw_in_both_languages(
    code: str, changes: dict[str, Any], words: str
) -> None:
    (found,) = advice_of(figures(**changes), CALM)
    assert found.code == code
    assert words in advice_say(code, found.facts, "en")
    russian = advice_say(code, found.facts, "ru")
    assert russian != advice_say(code, found.facts, "en")
    assert any("а" <= letter <= "я" for letter in russian)


def test_nothing_is_said_of_a_time_before_that_has_missing_days() -> None:
    before = figures(revenue={"USDT": Decimal(9000)}, traffic_bytes=1)
    before.days = 6
    assert advice_of(CALM, before) == []


def test_of_much_trouble_the_most_urgent_is_told() -> None:
    everything: dict[str, Any] = {}
    for _, changes, _ in TROUBLES:
        everything |= changes
    found = advice_of(figures(**everything), CALM)
    assert len(found) == 7
    assert found[0].code == "service_away"


def test_both_languages_have_words_for_every_rule() -> None:
    assert WORDS["en"].keys() == WORDS["ru"].keys() == {code for code, _, _ in TROUBLES}


def test_every_service_that_is_looked_at_has_a_name_in_both_languages() -> None:
    assert SERVICES["en"].keys() == SERVICES["ru"].keys() == BY_NAME.keys()
    assert PANEL in BY_NAME


def test_advice_of_a_later_version_is_shown_as_its_code() -> None:
    assert advice_say("buy_servers", {}, "ru") == "buy servers"
