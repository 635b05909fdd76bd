"""An invoice as Crypto Pay shows it: absent fields are left out, amounts are texts."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.sandbox.cryptopay.invoices import Invoice, Paid, Terms
from tests.sandbox.cryptopay.prices import COINS_USD, written

FEE_SHARE = Decimal("0.03")


def iso(timestamp: float) -> str:
    moment = datetime.fromtimestamp(timestamp, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fee_of(paid: Paid) -> Decimal:
    return paid.amount * FEE_SHARE


def invoice_shape(invoice: Invoice, now: float, site: str) -> dict[str, Any]:
    """site: where the sandbox stands; the links for the payer lead to a page of it."""
    terms = invoice.terms
    is_fiat = terms.currency_type == "fiat"
    page = f"{site}/cryptopay/pay/{invoice.hash}"
    shape: dict[str, Any] = {
        "invoice_id": invoice.invoice_id,
        "hash": invoice.hash,
        "currency_type": terms.currency_type,
        "fiat" if is_fiat else "asset": terms.currency,
        "amount": terms.amount,
        "accepted_assets": list(terms.accepted_assets or COINS_USD) if is_fiat else None,
        "pay_url": page,
        "bot_invoice_url": page,
        "mini_app_invoice_url": f"{page}?from=mini_app",
        "web_app_invoice_url": f"{page}?from=web_app",
        "description": terms.description or None,
        "status": invoice.status(now),
        "created_at": iso(invoice.created_at),
        "allow_comments": terms.allow_comments,
        "allow_anonymous": terms.allow_anonymous,
        "expiration_date": None if invoice.expires_at is None else iso(invoice.expires_at),
        "payload": invoice.payload or None,
        "hidden_message": terms.hidden_message or None,
        "paid_btn_name": terms.paid_btn_name or None,
        "paid_btn_url": terms.paid_btn_url or None,
        "swap_to": terms.swap_to or None,
    }
    if invoice.paid is not None:
        shape |= _paid_shape(invoice.paid, terms, invoice.invoice_id)
    return {name: value for name, value in shape.items() if value is not None}


def _paid_shape(paid: Paid, terms: Terms, invoice_id: int) -> dict[str, Any]:
    fee = fee_of(paid)
    shape: dict[str, Any] = {
        "paid_asset": paid.asset,
        "paid_amount": written(paid.amount),
        "paid_fiat_rate": paid.fiat_rate or None,
        "paid_usd_rate": paid.usd_rate,
        "fee_asset": paid.asset,
        "fee_amount": written(fee),
        "fee_in_usd": written(fee * Decimal(paid.usd_rate)),
        "paid_at": iso(paid.at),
        "paid_anonymously": paid.is_anonymous,
        "comment": paid.comment or None,
    }
    if terms.swap_to:
        shape["is_swapped"] = paid.is_swapped
    if paid.is_swapped:
        usd, target = Decimal(paid.usd_rate), COINS_USD[terms.swap_to]
        net_usd = (paid.amount - fee) * usd
        shape |= {
            "swapped_uid": f"swp-{invoice_id}",
            "swapped_to": terms.swap_to,
            "swapped_rate": written(usd / target),
            "swapped_output": written(net_usd / target),
            "swapped_usd_amount": written(net_usd),
            "swapped_usd_rate": written(target),
        }
    return shape
