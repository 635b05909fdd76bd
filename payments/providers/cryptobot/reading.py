"""Reading the JSON of Crypto Pay: numbers as Decimals, moments as aware UTC, shapes checked."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from payments.providers.cryptobot.errors import UpdateInvalid
from payments.providers.cryptobot.types import (
    AppProfile,
    Balance,
    CurrencyType,
    ExchangeRate,
    Invoice,
    InvoicePaid,
    InvoiceStatus,
)

INVOICE_PAID = "invoice_paid"
MAGNITUDE_LIMIT = 30  # digits before or after the point


class ShapeInvalid(ValueError):
    """The JSON does not have the shape of the contract; the text says where."""


def json_read(raw: bytes) -> Any:
    """JSON without a float in it. Raises ShapeInvalid."""
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise ShapeInvalid("it is not JSON") from None


def _refuse(name: str) -> Any:
    raise ValueError(name)


def invoice_read(given: Any) -> Invoice:
    """An Invoice object of the API, section 3 of the contract. Raises ShapeInvalid."""
    row = _object(given, "an invoice")
    status = _text(row, "status")
    try:
        currency_type = CurrencyType(_text(row, "currency_type"))
    except ValueError:
        raise ShapeInvalid("currency_type is neither crypto nor fiat") from None
    named = "fiat" if currency_type is CurrencyType.FIAT else "asset"
    _text(row, named)
    return Invoice(
        invoice_id=_whole(row, "invoice_id"),
        hash=_word(row, "hash") or "",
        status=InvoiceStatus(status) if status in set(InvoiceStatus) else InvoiceStatus.UNKNOWN,
        currency_type=currency_type,
        fiat=_word(row, "fiat") if currency_type is CurrencyType.FIAT else None,
        asset=_word(row, "asset") if currency_type is CurrencyType.CRYPTO else None,
        amount=_number(row, "amount"),
        accepted_assets=_codes(row.get("accepted_assets")),
        pay_url=_word(row, "bot_invoice_url") or _text(row, "pay_url"),  # the older name
        mini_app_url=_word(row, "mini_app_invoice_url") or "",
        web_app_url=_word(row, "web_app_invoice_url") or "",
        payload=_word(row, "payload") or "",
        description=_word(row, "description") or "",
        created_at=_moment(row, "created_at"),
        expires_at=_moment_if(row, "expiration_date"),
        paid_at=_moment_if(row, "paid_at"),
        paid_asset=_word(row, "paid_asset"),
        paid_amount=_number_if(row, "paid_amount"),
        paid_fiat_rate=_number_if(row, "paid_fiat_rate"),
        paid_usd_rate=_number_if(row, "paid_usd_rate"),
        fee_asset=_word(row, "fee_asset"),
        fee_amount=_number_if(row, "fee_amount"),
        fee_usd=_number_if(row, "fee_in_usd"),
        paid_anonymously=_flag(row, "paid_anonymously"),
        comment=_word(row, "comment") or "",
        swap_to=_word(row, "swap_to"),
        is_swapped=_flag(row, "is_swapped"),
        swapped_to=_word(row, "swapped_to"),
        swapped_amount=_number_if(row, "swapped_output"),
    )


def update_read(raw: bytes) -> InvoicePaid | None:
    """The update of a webhook whose signature is proved; None: of a type that says nothing to us.

    Raises UpdateInvalid for what is no update at all.
    """
    try:
        body = _object(json_read(raw), "an update")
        if _text(body, "update_type") != INVOICE_PAID:
            return None
        return InvoicePaid(
            _whole(body, "update_id"),
            _moment(body, "request_date"),
            invoice_read(body.get("payload")),
        )
    except ShapeInvalid as exc:
        raise UpdateInvalid(str(exc)) from None


def profile_read(given: Any) -> AppProfile:
    row = _object(given, "an app")
    bot = _text(row, "payment_processing_bot_username")
    return AppProfile(_whole(row, "app_id"), _word(row, "name") or "", bot)


def balance_read(given: Any) -> Balance:
    row = _object(given, "a balance")
    held = _number_if(row, "onhold") or Decimal(0)
    return Balance(_text(row, "currency_code"), _number(row, "available"), held)


def rate_read(given: Any) -> ExchangeRate | None:
    """None for a rate that Crypto Pay marks as not valid."""
    row = _object(given, "a rate")
    if row.get("is_valid") is not True:
        return None
    return ExchangeRate(_text(row, "source"), _text(row, "target"), _number(row, "rate"))


def rows_read(given: Any) -> list[Any]:
    """A list, or the items of {"items": [...]}: the manual says one, the service sends the other."""
    if isinstance(given, Mapping):
        given = given.get("items")
    if not isinstance(given, list):
        raise ShapeInvalid("it is not a list")
    return given


def _object(given: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ShapeInvalid(f"{what} must be an object")
    return given


def _word(row: Mapping[str, Any], name: str) -> str | None:
    """A text, None if it is missing, null or empty."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ShapeInvalid(f"{name} must be a text")
    return value


def _text(row: Mapping[str, Any], name: str) -> str:
    value = _word(row, name)
    if value is None:
        raise ShapeInvalid(f"{name} is missing")
    return value


def _whole(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    if type(value) is not int:
        raise ShapeInvalid(f"{name} must be a whole number")
    return value


def _flag(row: Mapping[str, Any], name: str) -> bool | None:
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        raise ShapeInvalid(f"{name} must be true or false")
    return value


def _number_if(row: Mapping[str, Any], name: str) -> Decimal | None:
    """A decimal that came as a text or as a number."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ShapeInvalid(f"{name} must be a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ShapeInvalid(f"{name} must be a number") from None
    # "1e999999999" is finite, too, but nobody pays so much.
    if not number.is_finite() or abs(number.adjusted()) > MAGNITUDE_LIMIT:
        raise ShapeInvalid(f"{name} must be a number")
    return number


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    value = _number_if(row, name)
    if value is None:
        raise ShapeInvalid(f"{name} is missing")
    return value


def _moment_if(row: Mapping[str, Any], name: str) -> datetime | None:
    value = _word(row, name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        # Without a zone it is UTC all the same (contract, section 1).
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ShapeInvalid(f"{name} must be a moment") from None


def _moment(row: Mapping[str, Any], name: str) -> datetime:
    value = _moment_if(row, name)
    if value is None:
        raise ShapeInvalid(f"{name} is missing")
    return value


def _codes(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(code, str) for code in given):
        raise ShapeInvalid("accepted_assets must be a list of codes")
    return tuple(given)
