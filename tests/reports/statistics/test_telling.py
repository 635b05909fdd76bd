"""What a report says: trends, recommendations, both languages, and messages that Telegram takes."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from notifications.telegram.markup import plain, validate, visible_length
from reports.statistics.models import Report
from reports.statistics.reporting.payload import payload_make
from reports.statistics.reporting.telling import report_say
from reports.statistics.services import report_make
from tests.reports.statistics.rows import at
from tests.reports.statistics.stats import incident, line, server, stat

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
SUNDAY = date(2026, 11, 15)
MONDAY = date(2026, 11, 9)


def said(report: Report, language: str = "en") -> str:
    return "\n".join(plain(part) for part in report_say(report, language)).replace("\u00a0", " ")


def daily(day: date = SUNDAY) -> Report:
    made, _ = report_make(kind="daily", period=day)
    return Report.objects.get(pk=made.pk)  # as it is read back: the order of mappings is lost


def test_a_day_stands_against_the_same_weekday() -> None:
    stat(SUNDAY - WEEK, amount="40", users_new=4, users_active=80, traffic_bytes=2 * 10**12)
    stat(SUNDAY - DAY, amount="1000")
    stat(SUNDAY)
    text = said(daily())
    assert "New: 5 (▲ +25%)" in text
    assert "Active: 100 (▲ +25%), out of traffic 2, expired 40, disabled 3" in text
    assert "Revenue: 50.00 USDT (▲ +25%)" in text
    assert "Traffic: 931 GB (▼ −50%)" in text
    assert "Run rate for 30 days: 450.00 USDT" in text
    assert "15 November 2026" in text


def test_without_the_time_before_nothing_is_compared() -> None:
    stat(SUNDAY)
    text = said(daily())
    assert "▲ +" not in text
    assert "▼ −" not in text


def test_several_currencies_have_a_line_and_a_change_each() -> None:
    stat(SUNDAY - WEEK, revenue={"EUR": "10", "USDT": "50"})
    lines = [line("month", "Month", "50", 10), line("month", "Month", "5", 1, "EUR")]
    stat(SUNDAY, revenue={"EUR": "5", "USDT": "50"}, revenue_by_plan=lines, refunds={"EUR": "4.5"})
    text = said(daily())
    assert "Revenue: 50.00 USDT (= 0%), 5.00 EUR (▼ −50%)" in text
    assert "Refunded: 4.50 EUR" in text


def test_what_cannot_be_told_is_left_out() -> None:
    stat(
        SUNDAY, users_active=None, users_source="", users_at=None, users_lost=None, uptime=None,
        traffic_bytes=None, messages_sent=None, errors=None, errors_count=None, operations=None,
        api_latency_ms=None, nodes=[], is_final=False,
    )  # fmt: skip
    text = said(daily())
    for word in ("Lost", "Active", "Uptime", "Traffic", "Telegram messages", "None"):
        assert word not in text
    assert "Some figures of this time are not final yet." in text


def test_incidents_say_how_long_or_that_they_went_on() -> None:
    stat(
        SUNDAY,
        incidents=[
            incident("fra-1", at(SUNDAY, 3), timedelta(minutes=7)),
            incident("remnawave", at(SUNDAY, 23), what="service"),
        ],
    )
    assert "• fra-1: 15 November 2026, 03:00 UTC, 7 min" in said(daily())
    assert "• The panel: 15 November 2026, 23:00 UTC, still open at midnight" in said(daily())
    assert "• Панель: 15 ноября 2026, 23:00 UTC, не закончился к полуночи" in said(daily(), "ru")


def week() -> Report:
    for number in range(14):
        day = MONDAY - WEEK + DAY * number
        stat(day, amount="10" if number < 7 else "20", users_new=number + 1)
    return report_make(kind="weekly", period=MONDAY)[0]


def test_a_week_has_trends_and_charts() -> None:
    report = week()
    text = said(report)
    assert "9 November 2026 – 15 November 2026" in text
    assert "New: 77 (▲ +175%)" in text
    assert "Revenue: 140.00 USDT (▲ +100%)" in text
    assert "14.11 ▇▇▇▇▇▇▇▇▇▇▇  13\n15.11 ▇▇▇▇▇▇▇▇▇▇▇▇ 14" in text
    assert "Panel response time, average: 80 ms" in text
    assert len(report.payload["by_day"]) == 7


def test_russian_says_the_same_in_russian() -> None:
    stat(MONDAY - WEEK, amount="10")
    text = said(week_with_trouble(), "ru")
    assert "Отчёт за неделю" in text
    assert "fra-1: падений 3 (всего 1 ч 30 мин)" in text
    assert "Доход упал на 97,7 %" in text
    assert "<b>" not in text


def week_with_trouble() -> Report:
    for number in range(7):
        if number:
            stat(MONDAY - WEEK + DAY * number, amount="1000")
        down = [incident("fra-1", at(MONDAY + DAY * number, 5), timedelta(minutes=30))]
        stat(
            MONDAY + DAY * number,
            amount="20",
            nodes=[server("fra-1", incidents=1, down_s=1800, uptime=0.98)] if number < 3 else [],
            incidents=down if number < 3 else [],
        )
    return report_make(kind="weekly", period=MONDAY)[0]


def test_an_incident_over_midnight_is_one() -> None:
    began = at(MONDAY, 23)
    stat(MONDAY, incidents=[incident("fra-1", began)])
    stat(MONDAY + DAY, incidents=[incident("fra-1", began, timedelta(hours=3))])
    found = payload_make("weekly", MONDAY)["now"]["incidents"]
    assert [each["ended_at"] for each in found] == [(began + timedelta(hours=3)).isoformat()]


def test_a_long_report_comes_in_parts_that_telegram_takes() -> None:
    names = [f"<server & {number}> {'x' * 60}" for number in range(40)]
    stat(
        SUNDAY,
        revenue_by_plan=[line(f"p{n}", f"Plan <{n}> {'y' * 150}", "1", 1) for n in range(30)],
        revenue_by_provider=[line(f"q{n}", f"Way {n} {'z' * 150}", "1", 1) for n in range(30)],
        nodes=[server(name, incidents=5, down_s=60, uptime=0.5) for name in names],
        incidents=[incident(name, at(SUNDAY, 1), timedelta(minutes=1)) for name in names],
        errors=[{"text": f"Error: {'w' * 190}", "count": 9}],
    )
    report = daily()
    for language in ("en", "ru"):
        parts = report_say(report, language)
        assert len(parts) > 1
        for number, part in enumerate(parts, 1):
            validate(part)
            assert visible_length(part) <= 4096
            assert part.endswith(f"<i>{number}/{len(parts)}</i>")
        whole = "".join(plain(part) for part in parts)
        assert whole.count("Plan <") == 10
        assert "30" in whole  # of the incidents that are not listed


def test_every_digit_of_money_is_kept() -> None:
    amount = "0.000000000001"
    stat(SUNDAY, revenue={"BTC": amount}, revenue_by_plan=[line("m", "M", amount, 1, "BTC")])
    payload: dict[str, Any] = daily().payload
    assert Decimal(payload["now"]["revenue"]["BTC"]) == Decimal(amount)
    assert f"{amount} BTC" in said(daily())
