"""A shop of some 1,600: plans, people in the sandbox panel, two months of payments behind it.

Some of the people run out of time while one watches: one every half minute, and one after the other
comes within a week, three days, a day and six hours of the end. config/demo/customers.py plays them.
"""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from config.demo.sandbox import order
from jobs import sql
from lib import clock
from payments.earning import days_compute
from payments.models import Payment
from payments.models.payment import FoundBy, Purpose, State
from subscriptions.activation.plans import plan_create, price_set
from subscriptions.mirror import syncing
from subscriptions.models import Activation, Plan, Subscriber
from subscriptions.panel.door import panel_background
from subscriptions.people.tasks import sync_recipients

CALM = 1_500  # people whose time ends some day
PAID_BEFORE = 500  # payments of the last two months
TELEGRAM_FROM = 610_000_000
GIB = 1024**3

_PLANS: tuple[tuple[str, str, str, int, str, str], ...] = (
    ("week", "A week", "Неделя", 7, "1.50", "1.40"),
    ("month", "Standard, 1 month", "Стандарт, 1 месяц", 30, "5", "4.60"),
    ("quarter", "Standard, 3 months", "Стандарт, 3 месяца", 90, "13.50", "12.40"),
)
# (how far from the end its first person is, how many, seconds between them)
_ACTORS = (
    ("over", 0, 30, 30),
    ("6h", 6 * 3600, 12, 60),
    ("24h", 24 * 3600, 12, 60),
    ("3d", 3 * 86_400, 12, 60),
    ("7d", 7 * 86_400, 12, 60),
)
_FIRST_S = 90  # until the first of them: make run is up by then
HELD = "demo_hannah"  # an operator has disabled her; she pays all the same


def shop_make() -> None:
    """Fill the panel, mirror it, and write the past. Not repeat-safe: it makes them again."""
    plans = _plans_make()
    people_make()
    while syncing.sync(panel_background(), lambda: False).get(syncing.MORE):
        pass
    _own_fields()
    sync_recipients()
    _past(plans)
    days_compute()


def _plans_make() -> list[Plan]:
    made = []
    for place, (code, title, title_ru, days, usdt, eur) in enumerate(_PLANS):
        plan = plan_create(
            code=code, title=title, title_ru=title_ru, period_days=days, position=place
        )
        price_set(plan_id=plan.pk, currency_type="crypto", currency="USDT", amount=Decimal(usdt))
        price_set(
            plan_id=plan.pk, currency_type="fiat", currency="EUR", amount=Decimal(eur),
            accepted_assets=["USDT", "TON"],
        )  # fmt: skip
        made.append(plan)
    return made


def people_make() -> None:
    """The people of the panel. Raises requests' errors."""
    order(
        "POST",
        "remnawave/seed",
        {
            "count": CALM, "prefix": "sub_", "telegram_from": TELEGRAM_FROM, "unlinked_share": 0.05,
            "expires_from_s": -20 * 86_400, "expires_to_s": 80 * 86_400, "disabled_share": 0.02,
            "limited_share": 0.02, "tags": ["WEEK", "MONTH", "QUARTER"],
        },
    )  # fmt: skip
    chat = TELEGRAM_FROM + 100_000
    for name, within, count, every in _ACTORS:
        for n in range(count):
            chat += 1
            _person(
                username=f"demo_{name}_{n + 1:02}", telegramId=chat,
                expireInSeconds=within + _FIRST_S + every * n,
            )  # fmt: skip
    hannah = _person(username=HELD, telegramId=chat + 1, expireInSeconds=3 * 86_400)
    order("POST", f"remnawave/users/{hannah['id']}/disable", {})


def _person(**fields: Any) -> dict[str, Any]:
    user: dict[str, Any] = order("POST", "remnawave/users", fields | {"tag": "MONTH"})["user"]
    return user


def _own_fields() -> None:
    """What only we know of people: plan, language, zone, who has switched auto-renewal on."""
    sql.run(
        """UPDATE subscriber s SET plan_id = p.id, language = CASE s.id %% 2 WHEN 0 THEN 'en' ELSE 'ru' END,
            time_zone = (ARRAY['Europe/Moscow', 'Europe/Berlin', 'UTC'])[1 + s.id %% 3],
            auto_renew = s.id %% 10 < 3, renew_currency = CASE WHEN s.id %% 10 < 3 THEN 'USDT' ELSE '' END
        FROM subscription_plan p WHERE upper(p.code) = s.tag"""
    )


def _past(plans: list[Plan]) -> None:
    """Payments of the last two months, more and more of them, with the access that they gave."""
    dice = random.Random(8)  # noqa: S311 - data to look at
    prices = {plan.pk: plan.prices.get(currency="USDT").amount for plan in plans}
    now, payments, activations = clock.now(), list[Payment](), list[Activation]()
    served = Subscriber.objects.filter(
        username__startswith="sub_", plan__isnull=False, expire_at__gt=now
    )
    people = list(served.select_related("plan").order_by("pk")[:CALM])
    for n in range(PAID_BEFORE):
        row = dice.choice(people)
        assert row.plan is not None
        at = now - timedelta(days=2 + 58 * dice.random() ** 1.4, seconds=dice.randint(0, 86_000))
        payment = _paid(n, row, row.plan, prices[row.plan.pk], at, dice)
        payments.append(payment)
        period = timedelta(days=row.plan.period_days)
        until = min(at + period, row.expire_at)  # or money and access would differ
        activations.append(
            Activation(
                payment=payment, subscriber=row, plan=row.plan, days=row.plan.period_days,
                base_expire_at=until - period, target_expire_at=until,
                state=Activation.State.APPLIED, applied_at=at + timedelta(seconds=2),
                told_at=at + timedelta(seconds=3), created_at=at,
            )
        )  # fmt: skip
    Payment.objects.bulk_create(payments, batch_size=500)
    Activation.objects.bulk_create(activations, batch_size=500)


def _paid(
    n: int, row: Subscriber, plan: Plan, price: Decimal, at: datetime, dice: random.Random
) -> Payment:
    return Payment(
        external_id=f"{900_000 + n}", state=State.COMPLETED, purpose=Purpose.RENEWAL,
        subscriber_id=row.pk, telegram_id=row.telegram_id, language=row.language,
        plan_code=plan.code, plan_title=plan.title, period_days=plan.period_days,
        currency_type="crypto", currency="USDT", amount=price, pay_url="",
        invoiced_at=at - timedelta(minutes=9), expires_at=at + timedelta(hours=23), paid_at=at,
        paid_asset="USDT", paid_amount=price, fee_asset="USDT", fee_amount=price * Decimal("0.03"),
        paid_usd_rate=Decimal(1), found_by=dice.choice((FoundBy.WEBHOOK,) * 9 + (FoundBy.POLL,)),
        completed_at=at + timedelta(seconds=1), created_at=at - timedelta(minutes=10),
        updated_at=at,
    )  # fmt: skip
