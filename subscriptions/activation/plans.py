"""Plans and what they cost: prices are never changed, a new one ends the one before."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet

from jobs.audit import Account, audit_write
from jobs.compiled import Compiled, Param
from lib import clock
from payments.models import CurrencyType
from payments.story import name_of
from payments.words import amount_say
from subscriptions.errors import PlanInvalid, PlanUnknown, PriceInvalid, PriceUnknown
from subscriptions.models import Plan, Price, TrafficStrategy

PLAN = "plan"  # what the audit log calls it
# What may be said of a plan; its code names it in orders for ever.
FIELDS = frozenset(
    {
        "title", "title_ru", "period_days", "traffic_limit_bytes", "traffic_limit_strategy",
        "resets_traffic", "device_limit", "squads", "tag", "position", "is_active",
    }
)  # fmt: skip
_DECIMALS = Decimal(1).scaleb(-12)
_PRICE = Compiled(
    lambda: Price.objects.filter(plan_id=Param("plan"), valid_to=None).order_by("id")[:1]
)
_PRICE_IN = Compiled(
    lambda: Price.objects.filter(
        plan_id=Param("plan"), currency=Param("currency"), valid_to=None
    ).order_by("id")[:1]
)


@transaction.atomic
def plan_create(*, code: str, by: Account = None, **fields: Any) -> Plan:
    """Make a plan; it is sold once it has a price. Raises PlanInvalid."""
    plan = Plan(code=code, **_known(fields))
    _check(plan)
    plan.created_at = plan.updated_at = clock.now()
    plan.save(force_insert=True)
    audit_write(by, "plan.create", PLAN, plan.code, **_storable(fields))
    return plan


@transaction.atomic
def plan_change(*, plan_id: int, by: Account = None, **fields: Any) -> Plan:
    """Change a plan for orders to come; those that were made keep what they were made with.

    Repeat: nothing is written if nothing differs. Raises PlanUnknown, PlanInvalid.
    """
    plan = _lock(plan_id)
    before = {name: getattr(plan, name) for name in _known(fields)}
    changed = {name: value for name, value in fields.items() if before[name] != value}
    if not changed:
        return plan
    for name, value in changed.items():
        setattr(plan, name, value)
    _check(plan)
    plan.updated_at = clock.now()
    plan.save(update_fields=[*changed, "updated_at"])
    told = {name: [before[name], value] for name, value in changed.items()}
    audit_write(by, "plan.change", PLAN, plan.code, **_storable(told))
    return plan


@transaction.atomic
def price_set(
    *,
    plan_id: int,
    currency_type: CurrencyType | str,
    currency: str,
    amount: Decimal,
    accepted_assets: Sequence[str] = (),
    by: Account = None,
) -> Price:
    """Let a plan cost this from now on; the price before ends in the same transaction.

    Orders that were made keep their price. Repeat: the same price again changes nothing.
    Locks: the plan, so that two new prices follow each other. Raises PlanUnknown, PriceInvalid.
    """
    plan = _lock(plan_id)
    price = Price(
        plan=plan,
        currency_type=currency_type,
        currency=currency.strip().upper(),
        amount=amount,
        accepted_assets=[asset.strip().upper() for asset in accepted_assets],
        created_by=name_of(by),
    )
    _check_price(price)
    now = clock.now()
    current = plan.prices.filter(currency=price.currency, valid_to=None).first()
    if current is not None:
        if _same(current, price):
            return current
        # A clock that was set back must not make a price end before it began.
        now = max(now, current.valid_from)
        current.valid_to = now
        current.save(update_fields=["valid_to"])
    price.valid_from = now
    price.save(force_insert=True)
    audit_write(
        by, "plan.price", PLAN, plan.code, currency=price.currency,
        amount=[amount_say(current.amount) if current else None, amount_say(price.amount)],
        accepted_assets=price.accepted_assets,
    )  # fmt: skip
    return price


@transaction.atomic
def price_end(*, plan_id: int, currency: str, by: Account = None) -> None:
    """Sell a plan no longer in this currency. Repeat: nothing. Raises PlanUnknown."""
    plan = _lock(plan_id)
    current = plan.prices.filter(currency=currency.strip().upper(), valid_to=None).first()
    if current is None:
        return
    current.valid_to = max(clock.now(), current.valid_from)
    current.save(update_fields=["valid_to"])
    audit_write(by, "plan.price_end", PLAN, plan.code, currency=current.currency)


def plans_sold() -> QuerySet[Plan]:
    """The plans that may be bought, each with its current prices as `current`. Two queries."""
    return plans_all().filter(is_active=True)


def plans_all() -> QuerySet[Plan]:
    """All plans, each with its current prices as `current`. Two queries."""
    current = Price.objects.filter(valid_to=None).order_by("currency")
    return Plan.objects.prefetch_related(Prefetch("prices", queryset=current, to_attr="current"))


def plan_find(code: str) -> Plan:
    """The plan of a code, with its current prices as `current`. Raises PlanUnknown."""
    plan = plans_all().filter(code=code).first()
    if plan is None:
        raise PlanUnknown(f"there is no plan {code!r}")
    return plan


def price_current(plan: Plan, currency: str = "") -> Price:
    """What a plan costs now. Without a currency: its only price, or that which was set first.

    Raises PriceUnknown.
    """
    if currency:
        price = _PRICE_IN.one(plan=plan.pk, currency=currency.strip().upper())
    else:
        price = _PRICE.one(plan=plan.pk)
    if price is None:
        told = f" in {currency}" if currency else ""
        raise PriceUnknown(f"{plan.code} has no price{told}")
    return price


def price_at(plan: Plan, currency: str, moment: datetime) -> Price | None:
    """What a plan cost at a moment, if it was sold in that currency then."""
    return (
        plan.prices.filter(currency=currency, valid_from__lte=moment)
        .exclude(valid_to__lte=moment)
        .order_by("-valid_from", "-id")
        .first()
    )


def _lock(plan_id: int) -> Plan:
    plan = Plan.objects.select_for_update(no_key=True).filter(pk=plan_id).first()
    if plan is None:
        raise PlanUnknown(f"there is no plan {plan_id}")
    return plan


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    if strange := sorted(fields.keys() - FIELDS):
        raise PlanInvalid(f"a plan has no {strange[0]}")
    return fields


def _check(plan: Plan) -> None:
    if plan.traffic_limit_strategy not in TrafficStrategy.values:
        raise PlanInvalid(
            f"traffic_limit_strategy must be one of {', '.join(TrafficStrategy.values)}"
        )
    try:
        plan.full_clean()
    except ValidationError as exc:
        raise PlanInvalid(
            "; ".join(f"{name}: {' '.join(texts)}" for name, texts in exc.message_dict.items()),
            errors=[
                {"field": name, "message": " ".join(texts)}
                for name, texts in exc.message_dict.items()
            ],
        ) from None


def _check_price(price: Price) -> None:
    amount: Any = price.amount
    if price.currency_type not in CurrencyType.values:
        raise PriceInvalid("currency_type must be crypto or fiat")
    if not price.currency.isalnum() or len(price.currency) > 12:
        raise PriceInvalid("currency must be the code of a coin or of a fiat")
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        raise PriceInvalid("the amount must be a decimal above 0")
    if amount.adjusted() >= 18 or amount != amount.quantize(_DECIMALS):
        raise PriceInvalid("the amount has at most 18 digits before the point and 12 behind it")
    if price.accepted_assets and price.currency_type == CurrencyType.CRYPTO:
        raise PriceInvalid("accepted assets go with a price in a fiat only")


def _same(one: Price, other: Price) -> bool:
    return (one.currency_type, one.amount, one.accepted_assets) == (
        str(other.currency_type), other.amount, other.accepted_assets,
    )  # fmt: skip


def _storable(fields: dict[str, Any]) -> dict[str, Any]:
    """As the audit log can keep it: uuids of squads are texts there."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
