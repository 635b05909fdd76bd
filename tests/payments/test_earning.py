"""What a day earned: exact, the same when computed again, and later if it was missed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.testing import job_perform
from lib import clock
from payments.earning import day_compute, days_due
from payments.models import FinancialDay, Payment, State

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)


def paid(number: int, at: datetime = NOON, **changes: Any) -> Payment:
    """A completed payment as it stands in the table."""
    fields: dict[str, Any] = {
        "external_id": str(number),
        "state": State.COMPLETED,
        "plan_code": "standard-1m",
        "plan_title": "Standard, 1 month",
        "period_days": 30,
        "currency_type": "crypto",
        "currency": "USDT",
        "amount": Decimal("5"),
        "paid_at": at,
        "completed_at": at,
        "paid_asset": "USDT",
        "paid_amount": Decimal("5"),
        "fee_asset": "USDT",
        "fee_amount": Decimal("0.15"),
        "paid_usd_rate": Decimal("0.9998"),
        "found_by": "webhook",
    }
    return Payment.objects.create(**{**fields, **changes})


def lines(day: date = DAY) -> list[dict[str, Any]]:
    rows = FinancialDay.objects.filter(day=day).order_by("plan_code", "currency", "paid_asset")
    return list(
        rows.values(
            *(f.name for f in FinancialDay._meta.fields if f.name not in {"id", "computed_at"})
        )
    )


def test_a_day_is_added_up_by_plan_currency_and_asset() -> None:
    paid(1)
    paid(2, amount=Decimal("0.1"), paid_amount=Decimal("0.1"), fee_amount=Decimal("0.003"))
    paid(3, currency_type="fiat", currency="EUR", paid_asset="TON", fee_asset="TON")
    paid(4, plan_code="family")
    assert day_compute(DAY) == 3
    line = FinancialDay.objects.get(plan_code="standard-1m", currency="USDT")
    assert (line.completed, line.revenue, line.average) == (2, Decimal("5.1"), Decimal("2.55"))
    assert (line.fee, line.net) == (Decimal("0.153"), Decimal("4.947"))
    assert line.usd == Decimal("5.1") * Decimal("0.9998")


def test_a_day_ends_at_midnight_utc() -> None:
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    paid(1, begin - timedelta(microseconds=1))
    paid(2, begin)
    paid(3, begin + timedelta(days=1) - timedelta(microseconds=1))
    paid(4, begin + timedelta(days=1))
    day_compute(DAY)
    assert FinancialDay.objects.get().completed == 2


def test_a_refund_belongs_to_the_day_on_which_it_was_noted() -> None:
    paid(1, state=State.REFUNDED, refunded_at=NOON + timedelta(days=1))
    day_compute(DAY)
    day_compute(DAY + timedelta(days=1))
    first, second = FinancialDay.objects.order_by("day")
    assert (first.completed, first.revenue, first.refunded) == (1, Decimal(5), 0)
    assert (second.completed, second.refunded, second.refunds) == (0, 1, Decimal(5))
    assert second.average == 0


def test_failures_are_counted_by_plan() -> None:
    paid(1, state=State.FAILED, completed_at=None, paid_at=None, paid_asset="", failed_at=NOON)
    day_compute(DAY)
    line = FinancialDay.objects.get()
    assert (line.failed, line.completed, line.revenue) == (1, 0, Decimal(0))


def test_a_fee_in_another_asset_is_not_subtracted() -> None:
    paid(1, fee_asset="TON")
    day_compute(DAY)
    line = FinancialDay.objects.get()
    assert (line.fee, line.net) == (None, None)


def test_part_of_a_sum_does_not_pass_for_the_whole() -> None:
    paid(1)
    paid(2, paid_usd_rate=None)
    day_compute(DAY)
    line = FinancialDay.objects.get()
    assert (line.usd, line.net) == (None, Decimal("9.7"))


def test_computing_a_day_again_gives_the_same_lines() -> None:
    for number in range(7):
        paid(number, amount=Decimal("0.1"), plan_code=f"plan-{number % 3}")
    day_compute(DAY)
    before = lines()
    day_compute(DAY)
    assert lines() == before


def test_missed_days_are_computed_later_and_today_is_not() -> None:
    for number in range(4):
        paid(number, clock.now() - timedelta(days=number))
    result = job_perform("payments.compute_financial_stats").result  # type: ignore[union-attr]
    assert result["lines"] == 3
    today = clock.now().date()
    found = set(FinancialDay.objects.values_list("day", flat=True))
    assert found == {today - timedelta(days=number) for number in (1, 2, 3)}


def test_only_the_last_days_are_computed_again() -> None:
    for number in range(10):
        paid(number, clock.now() - timedelta(days=number))
    job_perform("payments.compute_financial_stats")
    assert len(days_due(clock.now())) == 2
    with clock.shift(timedelta(days=3)):
        assert len(days_due(clock.now())) == 5


def test_a_pause_of_years_is_stepped_over() -> None:
    paid(1, NOON - timedelta(days=3 * 365))
    with clock.shift(NOON - timedelta(days=3 * 365 - 2) - clock.now()):
        job_perform("payments.compute_financial_stats")
    assert FinancialDay.objects.count() == 1
    paid(2, NOON)
    due = days_due(NOON + timedelta(days=2))
    assert due[0] == DAY
    assert len(due) == 2


def test_nothing_paid_is_nothing_to_compute() -> None:
    assert days_due(clock.now()) == []


@given(amounts=st.lists(st.decimals("0.000000000001", "99999", places=12), min_size=1, max_size=12))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_digit_is_lost(db: None, amounts: list[Decimal]) -> None:
    Payment.objects.all().delete()
    for number, amount in enumerate(amounts):
        paid(number, amount=amount)
    day_compute(DAY)
    assert FinancialDay.objects.get().revenue == sum(amounts)
