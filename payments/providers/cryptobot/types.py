"""What goes to Crypto Pay and what comes back. Amounts and rates are Decimals, moments are UTC.

Source: Crypto Pay API 1.5.2 (2026-03-18).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urlsplit

from payments.providers.cryptobot.errors import InvoiceOrderInvalid

DESCRIPTION_LIMIT = 1024
HIDDEN_MESSAGE_LIMIT = 2048
PAYLOAD_LIMIT_BYTES = 4096
LONGEST_LIFE = timedelta(seconds=2_678_400)  # 31 days


class CurrencyType(StrEnum):
    """In what the price of an invoice stands."""

    CRYPTO = "crypto"
    FIAT = "fiat"


class InvoiceStatus(StrEnum):
    """Where an invoice is. UNKNOWN: a word that the contract does not have."""

    ACTIVE = "active"
    PAID = "paid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class PaidButton(StrEnum):
    """What the button says that is shown after payment."""

    VIEW_ITEM = "viewItem"
    OPEN_CHANNEL = "openChannel"
    OPEN_BOT = "openBot"
    CALLBACK = "callback"


@dataclass(frozen=True, kw_only=True)
class InvoiceOrder:
    """An invoice to be made. payload is our id of the order: it comes back with every answer.

    The price stands in `fiat` or in `asset`, never in both; accepted_assets (all if empty) goes with
    fiat only. expires_in: the client's own span if None, and never longer than that.
    Raises InvoiceOrderInvalid for what would be refused.
    """

    payload: str
    amount: Decimal
    fiat: str | None = None
    asset: str | None = None
    accepted_assets: tuple[str, ...] = ()
    expires_in: timedelta | None = None
    description: str = ""  # the payer reads it
    hidden_message: str = ""  # the payer reads it after payment
    paid_button: PaidButton | None = None
    paid_button_url: str = ""
    swap_to: str | None = None
    allow_comments: bool = False
    allow_anonymous: bool = True

    def __post_init__(self) -> None:
        for is_wrong, sentence in (
            (not self.payload, "an order needs a payload"),
            (len(self.payload.encode()) > PAYLOAD_LIMIT_BYTES, "the payload is over 4 KB"),
            (not self.amount.is_finite() or self.amount <= 0, "the amount must be above 0"),
            ((not self.fiat) == (not self.asset), "the price stands in a fiat or in an asset"),
            (bool(self.accepted_assets and self.asset), "accepted assets go with a fiat only"),
            (len(self.description) > DESCRIPTION_LIMIT, "the description is over 1024 characters"),
            (
                len(self.hidden_message) > HIDDEN_MESSAGE_LIMIT,
                "the hidden message is over 2048 characters",
            ),
            (
                self.paid_button is not None and not _is_web(self.paid_button_url),
                "a button needs an http or https address",
            ),
            (
                self.expires_in is not None
                and not timedelta(seconds=1) <= self.expires_in <= LONGEST_LIFE,
                "an invoice lives between a second and 31 days",
            ),
        ):
            if is_wrong:
                raise InvoiceOrderInvalid(sentence)

    @property
    def currency(self) -> str:
        """The code of the fiat or of the asset."""
        return self.fiat or self.asset or ""


def _is_web(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """An invoice as Crypto Pay tells it. What is paid_*, fee_* or swap* is None until it is paid.

    amount stands in `currency`; paid_amount in paid_asset, which is another one for a fiat price,
    and may be another one for a price in coins. paid_fiat_rate: price of paid_asset in the fiat.
    """

    invoice_id: int
    hash: str
    status: InvoiceStatus
    currency_type: CurrencyType
    fiat: str | None
    asset: str | None
    amount: Decimal
    accepted_assets: tuple[str, ...]
    pay_url: str  # for the payer
    mini_app_url: str
    web_app_url: str
    payload: str
    description: str
    created_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    paid_asset: str | None
    paid_amount: Decimal | None
    paid_fiat_rate: Decimal | None
    paid_usd_rate: Decimal | None
    fee_asset: str | None
    fee_amount: Decimal | None
    fee_usd: Decimal | None
    paid_anonymously: bool | None
    comment: str
    swap_to: str | None
    is_swapped: bool | None
    swapped_to: str | None
    swapped_amount: Decimal | None

    @property
    def currency(self) -> str:
        """The code in which amount stands."""
        return self.fiat or self.asset or ""

    @property
    def is_paid(self) -> bool:
        return self.status is InvoiceStatus.PAID

    @property
    def net_amount(self) -> Decimal | None:
        """What we received, in paid_asset; None if unpaid, or if the fee is in another asset."""
        if self.paid_amount is None or self.fee_amount is None:
            return self.paid_amount
        same = self.fee_asset in {None, self.paid_asset}
        return self.paid_amount - self.fee_amount if same else None


@dataclass(frozen=True)
class AppProfile:
    """Whose token it is. bot tells the network: CryptoBot or CryptoTestnetBot."""

    app_id: int
    name: str
    bot: str

    @property
    def is_testnet(self) -> bool:
        return "testnet" in self.bot.lower()


@dataclass(frozen=True)
class Balance:
    """What the app holds of a coin."""

    currency: str
    available: Decimal
    on_hold: Decimal


@dataclass(frozen=True)
class ExchangeRate:
    """One `source` costs `rate` of `target`, which is a fiat."""

    source: str
    target: str
    rate: Decimal


@dataclass(frozen=True)
class InvoicePaid:
    """A webhook: this invoice was paid. update_id is not unique; tell events by the invoice.

    sent_at is the moment of this sending, which repeats for three days.
    """

    update_id: int
    sent_at: datetime
    invoice: Invoice
