"""Open questions about money: opened once, told to people, closed with a reason."""

from collections.abc import Mapping
from typing import Any

import orjson

from jobs.alerts import attention
from jobs.compiled import rows_of
from lib import clock
from lib.context import correlation_id
from payments.models import IncomingWebhook, Payment, Review, ReviewReason

# What ends by itself once there is an invoice or the money (payments/writing.py).
_HARMLESS = frozenset({ReviewReason.INVOICE_UNSURE, ReviewReason.INVOICE_GONE})

# Whoever asks the same in the same moment is waited for; then it is there, and nothing comes back.
_ASK = """
WITH asked AS (
    INSERT INTO payment_review (payment_id, webhook_id, key, reason, facts, opened_at)
    SELECT %(payment_id)s::uuid, %(webhook_id)s::bigint, %(key)s::text, %(reason)s::text,
        %(facts)s::jsonb, %(now)s::timestamptz
    WHERE NOT EXISTS (
        SELECT FROM payment_review r WHERE r.key = %(key)s::text AND r.reason = %(reason)s::text
            AND (r.resolved_at IS NULL OR NOT %(is_harmless)s::bool)
    )
    ON CONFLICT (key, reason) WHERE resolved_at IS NULL DO NOTHING
    RETURNING id, payment_id
), told AS (
    INSERT INTO payment_event (payment_id, at, kind, data, correlation_id)
    SELECT a.payment_id, %(now)s::timestamptz, 'review_opened',
        jsonb_build_object('reason', %(label)s::text, 'review', a.id), %(correlation_id)s::text
    FROM asked a WHERE a.payment_id IS NOT NULL
)
SELECT id FROM asked
"""


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
    label, now = ReviewReason(reason).label, clock.now()
    found = rows_of(
        _ASK,
        {
            "payment_id": payment and payment.pk,
            "webhook_id": webhook and webhook.pk,
            "key": key,
            "reason": reason.value,
            "facts": orjson.dumps(dict(facts)).decode(),
            "label": label,
            "is_harmless": reason in _HARMLESS,
            "now": now,
            "correlation_id": correlation_id.get() or None,
        },
    )
    if not found:
        return None
    row = Review(
        id=found[0][0],
        payment=payment,
        webhook=webhook,
        key=key,
        reason=reason,
        facts=dict(facts),
        opened_at=now,
    )
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
