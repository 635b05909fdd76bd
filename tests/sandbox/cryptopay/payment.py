"""The pay switch: what happens when somebody pays, in whatever way an order asks for."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from tests.sandbox.cryptopay.invoices import Invoice, Paid, Terms
from tests.sandbox.cryptopay.prices import COINS_USD, coin_in_fiat, in_usd, written
from tests.sandbox.service import ControlInvalid


@dataclass(frozen=True, slots=True)
class PayOrder:
    """asset: other than asked for, if given. amount: in that asset, else just what is due.

    is_late pays an expired invoice. is_swapped False: the exchange into swap_to did not succeed.
    """

    asset: str = ""
    amount: Decimal | None = None
    is_late: bool = False
    is_swapped: bool = True
    is_anonymous: bool = True
    comment: str = ""


def paid_by(invoice: Invoice, order: PayOrder, now: float) -> Paid:
    """How the order would pay an invoice. Raises ControlInvalid where nobody could pay."""
    terms, status = invoice.terms, invoice.status(now)
    if status == "paid":
        raise ControlInvalid(f"invoice {invoice.invoice_id} is paid already")
    if status == "expired" and not order.is_late:
        raise ControlInvalid(f"invoice {invoice.invoice_id} is expired; late pays it all the same")
    asset = order.asset or _usual_asset(terms)
    if asset not in COINS_USD:
        raise ControlInvalid(f"asset must be one of {', '.join(COINS_USD)}")
    is_fiat = terms.currency_type == "fiat"
    return Paid(
        at=now,
        asset=asset,
        amount=order.amount if order.amount is not None else due(terms, asset),
        fiat_rate=_fiat_rate(asset, terms.currency) if is_fiat else "",
        usd_rate=_usd_rate(asset),
        comment=order.comment,
        is_anonymous=order.is_anonymous,
        is_swapped=order.is_swapped and terms.swap_to not in {"", asset},
    )


@cache
def _fiat_rate(asset: str, fiat: str) -> str:
    return written(coin_in_fiat(asset, fiat))


@cache
def _usd_rate(asset: str) -> str:
    return written(COINS_USD[asset])


@lru_cache(10_000)
def due(terms: Terms, asset: str) -> Decimal:
    """How much of a coin pays the price."""
    amount = Decimal(terms.amount)
    if asset == terms.currency:
        return amount
    return Decimal(written(in_usd(terms.currency, amount) / COINS_USD[asset]))


def _usual_asset(terms: Terms) -> str:
    if terms.currency_type == "crypto":
        return terms.currency
    return (terms.accepted_assets or ("USDT",))[0]
