"""Payments in words: what each kind of PaymentEvent says to staff, and what the codes mean.

A sentence is filled from the event's data; `{until:when}` writes an ISO moment as people read it, and
what an event does not hold is "unknown". Kinds are stored, so they are never renamed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SENTENCES: dict[str, str] = {
    "ordered": "Ordered {plan}, {days} days, for {amount} {currency}.",
    "invoice_asked": "Crypto Pay is asked to make an invoice.",
    "invoice_made": "Invoice {invoice} is open until {until:when}.",
    "invoice_found": "Invoice {invoice} of an earlier try was found; it is open until {until:when}.",
    "invoice_refused": "Crypto Pay refused to make an invoice: {reason}.",
    "invoice_spare": "Invoice {invoice} is one too many and is deleted.",
    "invoice_adopted": "Paid by invoice {invoice} instead of {before}; both are for this order.",
    "completed": "Paid {paid} {asset} at {at:when}; noticed by {found_by}.",
    "completed_late": "Paid {paid} {asset} at {at:when}, after it had been given up; "
    "noticed by {found_by}.",
    "failed": "Given up: {reason}.",
    "told_failed": "Was told that the payment did not go through.",
    "not_told": "Was not told that the payment did not go through: {reason}.",
    "review_opened": "A person must look: {reason}.",
    "review_closed": "The question is answered ({resolution}): {note}.",
    "recheck_asked": "Crypto Pay is asked how it stands.",
    "checked": "Crypto Pay says that invoice {invoice} is {status}.",
    "refunded": "Marked as refunded: {note}.",
}

# Payment.failure: a code, in words for staff.
FAILURES: dict[str, str] = {
    "expired": "the invoice was not paid in time",
    "refused": "Crypto Pay refused to make the invoice",
    "no_invoice": "no invoice could be made in time",
    "given_up": "a person gave it up",
    "declined": "what was paid did not fit, and was not accepted",
}

RESOLUTIONS: dict[str, str] = {
    "settled": "accepted as paid",
    "refunded": "money given back",
    "kept": "nothing to do",
    "passed": "went away by itself",
}


def say(kind: str, given: Mapping[str, Any]) -> str:
    """The event as a sentence. A kind that a later version wrote is shown as it is."""
    sentence = SENTENCES.get(kind)
    if sentence is None:
        return kind.replace("_", " ").capitalize() + "."
    return sentence.format_map(_Filling(given))


def failure_say(code: str) -> str:
    """Why a payment failed."""
    return FAILURES.get(code, code)


def amount_say(amount: Decimal) -> str:
    """An amount without trailing zeros and without an exponent: "5", "0.00012"."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Value:
    """A value of an event that knows how to be written for people."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, how: str) -> str:
        value = self._value
        if value is None or value == "":
            return "unknown"
        return _when(value) if how == "when" else str(value).rstrip(".")


class _Filling(dict[str, _Value]):
    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__({name: _Value(value) for name, value in given.items()})

    def __missing__(self, name: str) -> _Value:
        return _Value(None)


def _when(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
