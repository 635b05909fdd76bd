"""Open payments by the page, as the poll looks at them: which are due, and which of them need nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from jobs.compiled import rows_of
from payments import fitting
from payments.models import Payment, State
from payments.providers.cryptobot.types import Invoice

# What is decided by; whoever acts on a payment locks it, and reads it whole.
_DECIDED_BY = (
    "external_id", "state", "currency_type", "currency", "amount", "accepted_assets", "invoiced_at",
    "created_at", "checked_at",
)  # fmt: skip

# All of them at once: whatever becomes of one, it comes last in the next run.
_LOOKED = """
WITH looked AS (
    UPDATE payment SET checked_at = %(began)s WHERE id = ANY(%(ids)s)
    RETURNING id, state, external_id
)
SELECT l.id FROM looked l
JOIN unnest(%(paid)s::uuid[], %(numbers)s::text[], %(reasons)s::text[]) AS m (id, number, reason)
    ON m.id = l.id AND m.number = l.external_id
WHERE l.state IN ('completed', 'refunded') OR (l.state = 'pending' AND EXISTS (
    SELECT FROM payment_review r
    WHERE r.payment_id = l.id AND r.key = 'payment:' || l.id AND r.reason = m.reason
))
"""


def page_due(began: datetime, most: int) -> Sequence[Payment]:
    """Open payments with an invoice that were not looked at since, longest ago first."""
    due = Q(checked_at__lt=began) | Q(checked_at=None)
    rows = Payment.objects.filter(due, state=State.PENDING, external_id__isnull=False)
    return list(rows.only(*_DECIDED_BY).order_by("checked_at", "id")[:most])


def page_looked(
    page: Sequence[Payment], found: Mapping[int, Invoice], began: datetime
) -> set[UUID]:
    """Write that the provider was asked about a page. Gives those of whom that is all.

    Their webhook was quicker; or they are paid by what does not fit, and people were asked about it
    before: settling would find the same question, each time until somebody answers. One statement,
    whatever the page holds.
    """
    paid, numbers, reasons = [], [], []
    for payment in page:
        invoice = found.get(int(payment.external_id or 0))
        if invoice is None or not invoice.is_paid:
            continue
        reason = fitting.misfit(payment, invoice)
        paid.append(payment.pk)
        numbers.append(payment.external_id)
        reasons.append(reason and reason.value)
    rows = rows_of(
        _LOOKED,
        {
            "began": began,
            "ids": [payment.pk for payment in page],
            "paid": paid,
            "numbers": numbers,
            "reasons": reasons,
        },
    )
    return {row[0] for row in rows}
