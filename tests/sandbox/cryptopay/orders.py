"""Reading createInvoice: what it refuses, and with which name."""

from decimal import Decimal
from urllib.parse import urlsplit

from tests.sandbox.cryptopay.errors import app_error, bad_request
from tests.sandbox.cryptopay.invoices import Terms
from tests.sandbox.cryptopay.params import Parameters
from tests.sandbox.cryptopay.prices import COINS_USD, PER_USD, in_usd, written

LEAST_USD, MOST_USD = Decimal("0.01"), Decimal(25_000)
LONGEST_LIFE_S = 2_678_400
DESCRIPTION_LIMIT, HIDDEN_MESSAGE_LIMIT = 1024, 2048
PAYLOAD_LIMIT_BYTES = 4096
SWAPS = {"USDT", "TON", "TRX", "ETH", "SOL", "BTC", "LTC"}
BUTTONS = {"viewItem", "openChannel", "openBot", "callback"}


def read_terms(app_id: int, parameters: Parameters) -> Terms:
    """Raises ApiError."""
    currency_type = parameters.text("currency_type") or "crypto"
    if currency_type not in {"crypto", "fiat"}:
        raise bad_request("CURRENCY_TYPE_INVALID")
    is_fiat = currency_type == "fiat"
    currency = parameters.text("fiat" if is_fiat else "asset").upper()
    if currency not in (PER_USD if is_fiat else COINS_USD):
        raise bad_request(
            "FIAT_INVALID" if is_fiat else "UNSUPPORTED_ASSET" if currency else "ASSET_INVALID"
        )
    accepted = tuple(parameters.codes("accepted_assets")) if is_fiat else ()
    if not set(accepted) <= set(COINS_USD):
        raise bad_request("UNSUPPORTED_ASSET")
    description, hidden = parameters.text("description"), parameters.text("hidden_message")
    if len(description) > DESCRIPTION_LIMIT:
        raise bad_request("DESCRIPTION_TOO_LONG")
    if len(hidden) > HIDDEN_MESSAGE_LIMIT:
        raise bad_request("HIDDEN_MESSAGE_TOO_LONG")
    swap_to = parameters.text("swap_to")
    if swap_to and swap_to not in SWAPS & set(COINS_USD):
        raise bad_request("SWAP_TO_INVALID")
    button, url = _button(parameters)
    return Terms(
        app_id=app_id,
        currency_type=currency_type,
        currency=currency,
        amount=_amount(parameters, currency),
        accepted_assets=accepted,
        swap_to=swap_to,
        description=description,
        hidden_message=hidden,
        paid_btn_name=button,
        paid_btn_url=url,
        allow_comments=parameters.flag("allow_comments", default=True),
        allow_anonymous=parameters.flag("allow_anonymous", default=True),
    )


def read_payload(parameters: Parameters) -> str:
    payload = parameters.text("payload")
    if len(payload.encode()) > PAYLOAD_LIMIT_BYTES:
        raise bad_request("PAYLOAD_TOO_LONG")
    return payload


def read_life(parameters: Parameters) -> int | None:
    """Seconds until it expires; None: it never does."""
    if parameters.values.get("expires_in") is None:
        return None
    life_s = parameters.whole("expires_in", 0, bad_request("EXPIRES_IN_INVALID"))
    if not 1 <= life_s <= LONGEST_LIFE_S:
        raise bad_request("EXPIRES_IN_INVALID")
    return life_s


def _amount(parameters: Parameters, currency: str) -> str:
    if isinstance(parameters.values.get("amount"), bool):
        raise app_error()
    amount = parameters.amount("amount", bad_request("AMOUNT_INVALID"))
    if amount.adjusted() > 15 or in_usd(currency, amount) > MOST_USD:
        raise bad_request("AMOUNT_TOO_BIG")
    if in_usd(currency, amount) < LEAST_USD:
        raise bad_request("AMOUNT_TOO_SMALL")
    return written(amount)


def _button(parameters: Parameters) -> tuple[str, str]:
    name, url = parameters.text("paid_btn_name"), parameters.text("paid_btn_url")
    if not name:
        return "", ""
    if name not in BUTTONS:
        raise bad_request("PAID_BTN_NAME_INVALID")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise bad_request("PAID_BTN_URL_REQUIRED")
    return name, url
