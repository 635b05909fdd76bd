"""Lists of payments: newest first, page by page, never counted. Ids grow with time, so they are the key."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from lib.errors import InputInvalid, NotFound
from payments.models import Payment, PaymentEvent, Review, State

PAGE = 50
STORY = 200  # lines of one payment that are shown


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which payments; empty fields match all."""

    state: str = ""
    provider: str = ""
    plan_code: str = ""
    currency: str = ""  # in which the price stands
    asset: str = ""  # in which it was paid
    purpose: str = ""
    found_by: str = ""
    subscriber_id: int | None = None
    telegram_id: int | None = None
    external_id: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None
    ids: tuple[UUID, ...] = ()

    def query(self) -> QuerySet[Payment]:
        """The matching payments, newest first. Raises InputInvalid for a state that is none."""
        if self.state and self.state not in State.values:
            raise InputInvalid(f"state must be one of {', '.join(State.values)}")
        exact = {
            "state": self.state or None,
            "provider": self.provider or None,
            "plan_code": self.plan_code or None,
            "currency": self.currency.upper() or None,
            "paid_asset": self.asset.upper() or None,
            "purpose": self.purpose or None,
            "found_by": self.found_by or None,
            "subscriber_id": self.subscriber_id,
            "telegram_id": self.telegram_id,
            "external_id": self.external_id or None,
            "pk__gte": None if self.created_from is None else first_id(self.created_from),
            "pk__lt": None if self.created_to is None else first_id(self.created_to),
            "pk__in": self.ids or None,
        }
        given = {name: value for name, value in exact.items() if value is not None}
        return Payment.objects.filter(**given).order_by("-pk")


def first_id(moment: datetime) -> UUID:
    """The lowest id that can have been made at that moment (UUID version 7, RFC 9562)."""
    milliseconds = max(int(moment.timestamp() * 1000), 0)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62))


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    """Some payments, and where the next page starts (None: this was the last)."""

    payments: list[Payment]
    after: UUID | None
    looked_to: None = None  # what the shared table asks


def payments_page(
    where: PaymentFilter, *, after: UUID | None = None, size: int = PAGE
) -> PaymentsPage:
    """Those that match, older than `after`. One query."""
    rows = where.query()
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: size + 1])
    more = len(found) > size
    return PaymentsPage(found[:size], found[size - 1].pk if more else None)


def payment_get(payment_id: UUID) -> Payment:
    """One of them. Raises NotFound."""
    row = Payment.objects.filter(pk=payment_id).first()
    if row is None:
        raise NotFound(f"there is no payment {payment_id}")
    return row


def story_of(payment_id: UUID) -> list[PaymentEvent]:
    """What happened to a payment, in order; of a very long story the latest lines."""
    rows = PaymentEvent.objects.filter(payment_id=payment_id).order_by("-id")[:STORY]
    return list(rows)[::-1]


def questions_of(payment_id: UUID) -> list[Review]:
    """The questions about a payment, open ones first."""
    rows = Review.objects.filter(payment_id=payment_id).order_by("-id")[:STORY]
    return sorted(rows, key=lambda row: row.resolved_at is not None)
