"""Orders of subscribers: a plan at its price of this moment becomes an order of payments."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from jobs.audit import Account
from notifications.telegram.templates import LANGUAGES
from payments.models import Payment, Purpose
from payments.orders import order_create
from payments.words import amount_say
from subscriptions.activation.plans import price_current
from subscriptions.errors import PlanNotSold, SubscriberGone
from subscriptions.models import Plan, Subscriber
from subscriptions.story import event_write


@transaction.atomic
def order_for(
    subscriber: Subscriber,
    plan: Plan,
    currency: str = "",
    purpose: Purpose = Purpose.RENEWAL,
    *,
    expires_in: timedelta | None = None,
    by: Account = None,
    key: str | None = None,
    source: str = "payment",
) -> Payment:
    """Let a subscriber order a plan; its invoice is made by a job, `pay_url` tells when it is there.

    Without a currency the plan's first price counts. A plan that is no longer sold can still be
    renewed by those who have it. Repeat: with a key a second call finds the first order.
    Raises PlanNotSold, PriceUnknown, SubscriberGone, and what order_create raises.
    """
    if subscriber.missing_since is not None:
        raise SubscriberGone(f"{subscriber.username} is gone from the panel")
    if not plan.is_active and subscriber.plan_id != plan.pk:
        raise PlanNotSold(f"{plan.code} is not sold any more")
    price = price_current(plan, currency)
    language = language_pick(subscriber.language)
    payment = order_create(
        subscriber_id=subscriber.pk,
        telegram_id=subscriber.telegram_id,
        language=language,
        plan_code=plan.code,
        plan_title=title_in(plan, language),
        period_days=plan.period_days,
        currency_type=price.currency_type,
        currency=price.currency,
        amount=price.amount,
        accepted_assets=price.accepted_assets,
        purpose=purpose,
        expires_in=expires_in,
        by=by,
        key=key,
    )
    if key is None or not _is_told(subscriber, payment):
        event_write(
            subscriber.pk,
            "order_made",
            source,
            data={
                "plan": payment.plan_title,
                "amount": amount_say(payment.amount),
                "currency": payment.currency,
            },
            by=by,
            payment_id=payment.pk,
        )
    return payment


def order_new(
    plan: Plan,
    currency: str = "",
    *,
    telegram_id: int | None,
    language: str = "",
    expires_in: timedelta | None = None,
    by: Account = None,
    key: str | None = None,
) -> Payment:
    """Let somebody order who is no subscriber yet: paying makes a user of the panel.

    Repeat: with a key a second call finds the first order. Raises PlanNotSold, PriceUnknown, and what
    order_create raises.
    """
    if not plan.is_active:
        raise PlanNotSold(f"{plan.code} is not sold any more")
    price = price_current(plan, currency)
    picked = language_pick(language)
    return order_create(
        subscriber_id=None,
        telegram_id=telegram_id,
        language=picked,
        plan_code=plan.code,
        plan_title=title_in(plan, picked),
        period_days=plan.period_days,
        currency_type=price.currency_type,
        currency=price.currency,
        amount=price.amount,
        accepted_assets=price.accepted_assets,
        purpose=Purpose.NEW,
        expires_in=expires_in,
        by=by,
        key=key,
    )


def _is_told(subscriber: Subscriber, payment: Payment) -> bool:
    """Whether the story has the order: whoever came second under a key has waited for the first."""
    return subscriber.events.filter(kind="order_made", payment_id=payment.pk).exists()


def language_pick(wanted: str) -> str:
    """The language of ours that a person reads; the setting's where nobody knows."""
    short = wanted.lower().partition("-")[0]
    return short if short in LANGUAGES else str(settings.TELEGRAM_LANGUAGE)


def title_in(plan: Plan, language: str) -> str:
    """What a plan is called in a language."""
    return (plan.title_ru if language == "ru" else "") or plan.title
