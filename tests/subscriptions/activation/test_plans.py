"""Plans and their prices: a price is never changed, a new one ends the one before."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from lib import clock
from subscriptions.activation.plans import (
    plan_change,
    plan_create,
    plan_find,
    plans_sold,
    price_at,
    price_current,
    price_end,
    price_set,
)
from subscriptions.errors import PlanInvalid, PlanUnknown, PriceInvalid, PriceUnknown
from subscriptions.models import Plan, Price
from tests.subscriptions.buyers import plan_make

pytestmark = pytest.mark.django_db


def euros(plan: Plan, amount: str, **more: Any) -> Price:
    return price_set(
        plan_id=plan.pk, currency_type="fiat", currency="eur", amount=Decimal(amount), **more
    )


def test_a_new_price_ends_the_one_before() -> None:
    plan = plan_make()
    first = euros(plan, "4.50")
    with clock.shift(timedelta(days=1)):
        second = euros(plan, "5")
    first.refresh_from_db()
    assert first.valid_to == second.valid_from
    assert price_current(plan, "EUR") == second
    assert price_at(plan, "EUR", first.valid_from) == first
    assert price_at(plan, "EUR", second.valid_from) == second
    assert price_at(plan, "EUR", first.valid_from - timedelta(days=1)) is None


def test_the_same_price_again_changes_nothing() -> None:
    plan = plan_make()
    first = euros(plan, "4.50", accepted_assets=["usdt"])
    assert euros(plan, "4.5", accepted_assets=["USDT"]) == first
    assert euros(plan, "4.5", accepted_assets=["TON"]) != first


def test_currencies_do_not_end_each_other() -> None:
    plan = plan_make()
    euros(plan, "4")
    assert {price.currency for price in plan.prices.filter(valid_to=None)} == {"EUR", "USDT"}


def test_a_clock_that_was_set_back_ends_no_price_before_it_began() -> None:
    plan = plan_make()
    first = euros(plan, "4")
    with clock.shift(timedelta(days=-1)):
        second = euros(plan, "5")
    first.refresh_from_db()
    assert first.valid_to == first.valid_from == second.valid_from
    assert price_current(plan, "EUR") == second


def test_the_database_refuses_two_current_prices() -> None:
    plan = plan_make()
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.create(
            plan=plan, currency_type="crypto", currency="USDT", amount=1, valid_from=clock.now()
        )


def test_a_plan_without_a_price_in_a_currency_is_not_sold_in_it() -> None:
    plan = plan_make()
    price_end(plan_id=plan.pk, currency="usdt")
    price_end(plan_id=plan.pk, currency="usdt")
    with pytest.raises(PriceUnknown):
        price_current(plan)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("0.0000000000001")},
        {"amount": 4.5},
        {"currency": "E-U"},
        {"currency_type": "gold"},
        {"currency_type": "crypto", "currency": "TON", "accepted_assets": ["USDT"]},
    ],
    ids=["nothing", "NaN", "too fine", "a float", "code", "type", "assets of a coin"],
)
def test_a_price_that_nobody_could_pay_is_refused(changes: dict[str, Any]) -> None:
    given = {"currency_type": "fiat", "currency": "EUR", "amount": Decimal(4)}
    with pytest.raises(PriceInvalid):
        price_set(plan_id=plan_make().pk, **{**given, **changes})


@pytest.mark.parametrize(
    "fields",
    [
        {"period_days": 0},
        {"period_days": 30, "traffic_limit_bytes": -1},
        {"period_days": 30, "traffic_limit_strategy": "HOURLY"},
        {"period_days": 30, "color": "red"},
    ],
    ids=["no days", "less than nothing", "strategy", "unknown"],
)
def test_a_plan_that_nobody_could_be_sold_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(PlanInvalid):
        plan_create(code="odd", title="Odd", **fields)


def test_a_code_names_one_plan() -> None:
    plan_make()
    with pytest.raises(PlanInvalid):
        plan_create(code="standard", title="Another", period_days=30)


def test_a_change_is_audited_with_before_and_after() -> None:
    plan = plan_make()
    plan_change(plan_id=plan.pk, period_days=31, title=plan.title)
    changes = AuditEntry.objects.get(action="plan.change").changes
    assert changes == {"period_days": [30, 31]}
    plan_change(plan_id=plan.pk, period_days=31)
    assert AuditEntry.objects.filter(action="plan.change").count() == 1


def test_what_does_not_exist_is_not_found() -> None:
    with pytest.raises(PlanUnknown):
        plan_change(plan_id=1, title="x")
    with pytest.raises(PlanUnknown):
        plan_find("none")


def test_the_plans_sold_cost_two_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(3):
        euros(plan_make(f"plan{number}"), "3")
    plan_change(plan_id=plan_make("plan0").pk, is_active=False)
    with django_assert_num_queries(2):
        found = {
            plan.code: [price.currency for price in getattr(plan, "current")]  # noqa: B009
            for plan in plans_sold()
        }
    assert found == {"plan1": ["EUR", "USDT"], "plan2": ["EUR", "USDT"]}
