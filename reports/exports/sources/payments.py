"""Payments. The address of an invoice (pay_url) is not among the columns: it opens a page of the payer."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from payments.models import FoundBy, Payment, Purpose, State
from reports.exports.columns import Column, Kind
from reports.exports.sources.source import Entry, Part, Source, between, exactly, narrowed
from subscriptions.filtering import number_read, words_read
from subscriptions.models import Subscriber

_NET = Case(
    When(
        Q(paid_amount__isnull=False) & (Q(fee_amount=None) | Q(fee_asset=F("paid_asset"))),
        then=F("paid_amount") - Coalesce("fee_amount", Value(Decimal(0))),
    )
)
_USERNAME = Subquery(Subscriber.objects.filter(pk=OuterRef("subscriber_id")).values("username")[:1])
COLUMNS = (
    Column("id", "our id", "id", Kind.ID),
    Column("ordered_at", "when it was ordered", "created_at", Kind.MOMENT),
    Column("state", "created, pending, completed, failed or refunded", "state"),
    Column("purpose", "new, renewal or auto_renewal", "purpose"),
    Column("provider", "who takes the money", "provider"),
    Column("invoice", "the provider's number", "external_id"),
    Column("subscriber_id", "our number of the subscriber", "subscriber_id", Kind.NUMBER),
    Column("username", "name of the subscriber; slower", _USERNAME, is_usual=False),
    Column("telegram_id", "Telegram account of the payer", "telegram_id", Kind.NUMBER),
    Column("plan", "code of the plan", "plan_code"),
    Column("plan_title", "as it was sold", "plan_title"),
    Column("period_days", "what was sold", "period_days", Kind.NUMBER),
    Column("amount", "price", "amount", Kind.MONEY),
    Column("currency", "of the price", "currency"),
    Column("paid_at", "as the provider says", "paid_at", Kind.MOMENT),
    Column("paid_amount", "what was paid", "paid_amount", Kind.MONEY),
    Column("paid_asset", "in what", "paid_asset"),
    Column("fee_amount", "what the provider keeps", "fee_amount", Kind.MONEY),
    Column("fee_asset", "in what", "fee_asset"),
    Column("net_amount", "paid less fee; empty if their assets differ", _NET, Kind.MONEY),
    Column("paid_usd_rate", "dollars for one of paid_asset", "paid_usd_rate", Kind.MONEY),
    Column("found_by", "webhook, poll or operator", "found_by"),
    Column("completed_at", "when it counted as paid", "completed_at", Kind.MOMENT),
    Column("failed_at", "when it was given up", "failed_at", Kind.MOMENT),
    Column("failure", "why", "failure"),
    Column("refunded_at", "when it was given back", "refunded_at", Kind.MOMENT),
    Column("created_by", "who ordered it for them", "created_by", is_usual=False),
)
_DATES = {"ordered": "created_at", "completed": "completed_at", "refunded": "refunded_at"}


def _dated(value: Any) -> str:
    if value not in _DATES:
        raise ValueError(f"takes {', '.join(_DATES)}")
    return str(value)


def _words(title: str, field: str, known: Any = None) -> Part:
    choices = None if known is None else [(str(value), str(label)) for value, label in known]
    allowed = tuple(value for value, _ in choices or ())
    return Part(
        title,
        words_read(allowed),
        lambda value: Q(**{f"{field}__in": value}),
        Entry.WORDS,
        (lambda: choices) if choices else None,
    )


def _number(title: str, field: str) -> Part:
    return Part(title, number_read, lambda value: Q(**{field: value}), Entry.NUMBER)


_PARTS = {
    "dated": Part(
        "the range is about when they were",
        _dated,
        entry=Entry.CHOICE,
        choices=lambda: [(name, name) for name in _DATES],
    ),
    "state": _words("state", "state", State.choices),
    "purpose": _words("purpose", "purpose", Purpose.choices),
    "provider": _words("provider", "provider"),
    "plan": _words("plan", "plan_code"),
    "currency": _words("price in", "currency"),
    "asset": _words("paid in", "paid_asset"),
    "found_by": _words("noticed by", "found_by", FoundBy.choices),
    "telegram_id": _number("Telegram id", "telegram_id"),
    "subscriber_id": _number("subscriber", "subscriber_id"),
    "invoice": Part("invoice", *exactly("external_id", longest=64)),
}


def _rows(
    filters: dict[str, Any], since: datetime | None, until: datetime | None
) -> QuerySet[Payment]:
    rows = narrowed(Payment.objects.all(), _PARTS, filters)
    return between(rows, _DATES[filters.get("dated", "ordered")], since, until)


PAYMENTS = Source(
    name="payments",
    title="Payments",
    permission="payments.view_payment",
    span="when they were ordered, if the filter does not say completed or refunded",
    columns=COLUMNS,
    parts=_PARTS,
    rows=_rows,
)
