"""What becomes of a payment, each by one statement: its row, the lines of its story, the questions that
are answered by it, and the delivery that told of it. The caller is in a transaction.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from jobs.compiled import rows_of
from lib import clock
from payments.models import Payment
from payments.providers.cryptobot.types import Invoice
from payments.rows import COLUMNS, payment_from
from payments.story import LINES, Line, lines_params

# What ends by itself once the invoice or the money is there; other questions are about money of their own.
_QUESTIONS = """
UPDATE payment_review r SET resolved_at = %(now)s::timestamptz, resolution = 'passed', note = %(note)s
FROM changed c WHERE r.payment_id = c.id AND r.resolved_at IS NULL
    AND r.reason IN ('invoice_gone', 'invoice_unsure')
"""
_DELIVERY = """
UPDATE incoming_webhook w SET state = 'processed', processed_at = %(now)s::timestamptz, last_error = '',
    object_ref = 'payment:' || c.id
FROM changed c WHERE w.id = %(webhook_id)s AND w.state = 'received' RETURNING w.id
"""
_SETTLED = """
UPDATE incoming_webhook w SET state = 'processed', processed_at = %(now)s, last_error = '',
    object_ref = 'payment:' || p.id
FROM payment p WHERE w.id = %(webhook_id)s AND w.state = 'received' AND p.provider = %(provider)s
    AND p.external_id = %(number)s AND p.state IN ('completed', 'refunded')
RETURNING p.id
"""
_ORDERED = (
    "id", "provider", "state", "purpose", "subscriber_id", "telegram_id", "language", "plan_code",
    "plan_title", "period_days", "currency_type", "currency", "amount", "accepted_assets", "order_key",
    "created_by", "created_at", "updated_at",
)  # fmt: skip
_ENDED = ("state", "failed_at", "failure", "updated_at")
_PAID = (
    "external_id", "pay_url", "expires_at", "invoiced_at", "state", "paid_at", "paid_asset",
    "paid_amount", "fee_asset", "fee_amount", "paid_usd_rate", "found_by", "completed_at", "checked_at",
    "updated_at",
)  # fmt: skip


def _change(names: Iterable[str]) -> str:
    return f"""
WITH changed AS (
    UPDATE payment SET {", ".join(f"{name} = %({name})s" for name in names)}
    WHERE id = %(id)s RETURNING id
)"""


_ORDER = f"""
WITH changed AS (
    INSERT INTO payment ({", ".join(_ORDERED)}) VALUES ({", ".join(f"%({name})s" for name in _ORDERED)})
    ON CONFLICT (order_key) DO NOTHING RETURNING id
){LINES}"""
_LOOK = f"{_change(['checked_at'])}{_DELIVERY}"
_FAIL = f"{_change(_ENDED)}{LINES}"
_COMPLETE = f"{_change(_PAID)}, questions AS ({_QUESTIONS}), delivery AS ({_DELIVERY}){LINES}"
_OPEN = f"""
WITH changed AS (
    UPDATE payment p SET external_id = %(number)s::text, pay_url = %(pay_url)s, state = 'pending',
        expires_at = %(expires_at)s, invoiced_at = %(now)s::timestamptz,
        checked_at = %(now)s::timestamptz, updated_at = %(now)s::timestamptz
    WHERE p.id = %(id)s::uuid AND p.state = 'created' AND p.external_id IS DISTINCT FROM %(number)s::text
    RETURNING {COLUMNS}
), questions AS ({_QUESTIONS}), lines AS ({LINES})
SELECT * FROM changed
"""
_ASK = f"""
WITH changed AS (
    SELECT p.id FROM payment p
    WHERE p.id = %(id)s::uuid AND p.state = 'created' AND p.created_at >= %(since)s AND NOT EXISTS (
        SELECT FROM payment_event e WHERE e.payment_id = p.id AND e.kind = 'invoice_asked'
    )
), lines AS ({LINES})
SELECT NOT EXISTS (SELECT FROM lines), {COLUMNS} FROM payment p WHERE p.id = %(id)s::uuid
"""


def order_write(order: Payment, line: Line) -> bool:
    """Write a new order and its line. False: there is one under its key, and nothing was written.

    Whoever writes that key in this moment is waited for.
    """
    values = {name: getattr(order, name) for name in _ORDERED}
    is_new = bool(rows_of(_ORDER, {**values, **lines_params([line], clock.now())}))
    order._state.adding, order._state.db = not is_new, "default"
    return is_new


def looked_write(payment: Payment, *, webhook_id: int | None = None) -> None:
    """Write when the provider was asked about a payment, and that the delivery is processed which told
    to ask. The caller holds the payment's lock.
    """
    given = {"id": payment.pk, "checked_at": payment.checked_at, "now": clock.now()}
    rows_of(_LOOK, {**given, "webhook_id": webhook_id})


def delivery_settled(webhook_id: int, provider: str, number: int) -> UUID | None:
    """Note a delivery as processed if its invoice is the one that has completed a payment: the provider
    itself has said before that it is paid. Gives that payment; None: there is none, nothing is written.
    """
    given = {"provider": provider, "number": str(number), "now": clock.now()}
    found = rows_of(_SETTLED, {**given, "webhook_id": webhook_id})
    return found[0][0] if found else None


def failed_write(payment: Payment, lines: Iterable[Line]) -> None:
    """Write that a payment has failed, as its attributes say. The caller holds its lock."""
    values = {name: getattr(payment, name) for name in _ENDED}
    rows_of(_FAIL, {"id": payment.pk, **values, **lines_params(lines, clock.now())})


def completed_write(
    payment: Payment, lines: Iterable[Line], *, webhook_id: int | None = None
) -> None:
    """Write that a payment is completed, as its attributes say. The caller holds its lock.

    Questions about the way to the money are over by that, and a delivery that waits is processed.
    """
    values: dict[str, Any] = {name: getattr(payment, name) for name in _PAID}
    said = lines_params(lines, clock.now())
    given = {"id": payment.pk, "note": "It is completed.", "webhook_id": webhook_id}
    rows_of(_COMPLETE, {**values, **said, **given})


def asked_write(payment_id: UUID, *, since: datetime) -> tuple[Payment | None, bool]:
    """Write that the provider is asked for the invoice of an order, if it waits for one and was made since.

    Gives the payment as it is (None: there is none), and whether an earlier try had written it.
    Committed by itself: it must be known before anybody asks.
    """
    said = lines_params([Line("invoice_asked", {})], clock.now())
    for was_asked, *row in rows_of(_ASK, {"id": payment_id, "since": since, **said}):
        return payment_from(tuple(row)), was_asked
    return None, False


def opened_write(payment_id: UUID, invoice: Invoice, lines: Iterable[Line]) -> Payment | None:
    """Write the invoice of an order that waits for one. None: the order does not, nothing is changed.

    Gives the payment as it is now; it is locked until the transaction ends.
    """
    found = rows_of(
        _OPEN,
        {
            "id": payment_id,
            "number": str(invoice.invoice_id),
            "pay_url": invoice.pay_url[:500],
            "expires_at": invoice.expires_at,
            "note": "Its invoice was found.",
            **lines_params(lines, clock.now()),
        },
    )
    return payment_from(found[0]) if found else None
