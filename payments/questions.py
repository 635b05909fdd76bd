"""Open questions about money: opened once, told to people, closed with a reason."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from jobs.alerts import attention
from lib import clock
from payments.models import IncomingWebhook, Payment, Review, ReviewReason
from payments.story import event_write

PASSED = "passed"
# What ends by itself once the payment is completed; the others are about money of their own.
_ABOUT_THE_WAY = (ReviewReason.INVOICE_GONE, ReviewReason.INVOICE_UNSURE)
_HARMLESS = frozenset({ReviewReason.INVOICE_UNSURE, ReviewReason.INVOICE_GONE})


def question_open(
    *,
    key: str,
    reason: ReviewReason,
    facts: Mapping[str, Any],
    payment: Payment | None = None,
    webhook: IncomingWebhook | None = None,
) -> Review | None:
    """Open a Review and tell people. None: the same question is open, or was answered before.

    A question about a paid invoice that a person has answered is not asked again, however often the
    provider repeats itself. Rows only; locks nothing of others.
    """
    answered = Review.objects.filter(key=key, reason=reason)
    if reason in _HARMLESS:
        answered = answered.filter(resolved_at=None)
    if answered.exists():
        return None
    try:
        with transaction.atomic():
            row = Review.objects.create(
                payment=payment,
                webhook=webhook,
                key=key,
                reason=reason,
                facts=dict(facts),
                opened_at=clock.now(),
            )
    except IntegrityError:  # asked in the same moment by somebody else
        return None
    label = ReviewReason(reason).label
    if payment is not None:
        event_write(payment.pk, "review_opened", data={"reason": label, "review": row.pk})
    attention(
        group=f"payments.review:{reason}",
        title=f"Money needs a person: {label}",
        text=_said(row),
        severity="warning" if reason in _HARMLESS else "critical",
        link=f"/admin/payments/review/{row.pk}/change/",
    )
    return row


def _said(row: Review) -> str:
    expected, came = row.facts.get("expected", {}), row.facts.get("came", {})
    parts = [f"Invoice {came['invoice']}: paid {came.get('paid')}." if came.get("invoice") else ""]
    parts.append(f"Ordered: {expected['price']}." if expected.get("price") else "")
    parts.append(str(row.facts.get("note", "")))
    return " ".join(part for part in parts if part)


def questions_pass(payment: Payment, *, note: str) -> int:
    """Close what the completion of a payment has answered. The caller holds the payment's lock."""
    return Review.objects.filter(
        payment=payment, resolved_at=None, reason__in=_ABOUT_THE_WAY
    ).update(resolved_at=clock.now(), resolution=PASSED, note=note[:500])
