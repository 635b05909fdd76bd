"""The story of a subscriber in words: what each kind of SubscriberEvent says to support staff.

Each room adds its kinds to SENTENCES. A sentence is filled from the event's data; `{until:when}` writes
an ISO moment as people read it, `{bytes:size}` bytes, and what an event does not hold is "unknown".
Kinds are stored, so they are never renamed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.template.defaultfilters import filesizeformat

# Who or what caused it, as SubscriberEvent.source.
SOURCES: dict[str, str] = {
    "panel": "the panel",
    "payment": "a payment",
    "renewal": "auto-renewal",
    "sweep": "our sweep",
    "bulk": "a bulk operation",
    "staff": "staff",
    "mirror": "the mirror",
    "file": "a dropped file",
    "api": "the API",
}

_PAYMENTS = {
    "order_made": "Ordered {plan} for {amount} {currency}.",
    "paid": "Paid {amount} {currency} for {plan}.",
    "created": "Created in the panel as {username}, served until {until:when}.",
    "bound": "Found in the panel as {username} and taken over.",
    "activated": "The payment was activated: served until {until:when} (before: {before:when}).",
    "activation_held": "Paid, but stays disabled: {reason}. A person decides.",
    "activation_failed": "Paid, but has no access yet: {error}.",
    "activation_retried": "The activation is tried again by hand.",
    "activation_released": "The hold was lifted: the paid period is switched on.",
    "told_served": "Was told that the payment arrived and access lasts until {until:when}.",
    "told_waiting": "Was told that the payment arrived and access is still being switched on.",
    "not_told": "Was not told of the payment: {reason}.",
    "payment_refunded": "A payment was marked as refunded; access was not shortened.",
    "gap_found": "Paid and not served as paid: {gap}.",
    "gap_closed": "Paid and served again: {gap} is over.",
    "healed": "Asked to be healed by hand: {gap}.",
    "gap_dismissed": "Said to be right as it is: {gap}.",
}
_RENEWALS = {
    "renewal_invoiced": "Auto-renewal made an invoice of {amount} {currency}, for {until:when}.",
    "renewal_told": "Auto-renewal sent the link to the invoice.",
    "renewal_skipped": "Auto-renewal made no invoice: {reason}.",
    "auto_renew_on": "Auto-renewal was switched on, in {currency}.",
    "auto_renew_off": "Auto-renewal was switched off.",
}
_ACTS = {
    "extended": "Extended by {days} days: served until {until:when} (before: {before:when}).",
    "enabled": "Enabled (before: {before}).",
    "disabled": "Disabled: {reason}.",
    "traffic_reset": "Used traffic was set to zero (before: {before:size}).",
    "edited": "Edited here: {fields}.",
}

_BULK = {
    "deleted": "Deleted in the panel.",
    "imported": "Imported from {list}.",
    "moved_back": "The end was moved back to {until:when} (before: {before:when}).",
}

_ENDS = {
    "expired": "The time was over on {until:when}; the panel serves no longer.",
    "cut": "Disabled in the panel by our sweep: {reason}.",
}

_PANEL = {
    "panel_appeared": "Appeared in the panel as {username}, served until {until:when}.",
    "panel_expired": "The panel let it expire: the end was {until:when}.",
    "panel_limited": "The traffic of {limit:size} is used up; the panel serves no longer.",
    "panel_disabled": "Disabled in the panel, and not by us.",
    "panel_active": "Active again in the panel (before: {before}).",
    "panel_moved": "The end in the panel is {until:when} now (before: {before:when}).",
    "panel_reset": "The panel set used traffic to zero (before: {before:size}).",
    "panel_revoked": "The link was revoked in the panel; there is a new one.",
    "first_connected": "Connected for the first time, {at:when}.",
    "panel_edited": "Edited in the panel: {fields}.",
    "panel_gone": "The panel has no such user any more.",
    "panel_back": "Is in the panel again.",
    "panel_lost": "The number {number} in the panel belongs to {other} now; nothing is written to it.",
    "panel_bound": "Found in the panel under number {number} (before: {before}).",
    "drift_settled": "What the panel and we saw otherwise was settled: {field}, {how}.",
}

SENTENCES: dict[str, str] = {**_PANEL, **_ENDS, **_PAYMENTS, **_RENEWALS, **_ACTS, **_BULK}


class KindUnknown(LookupError):
    """The story has no word for this kind of event; add it to subscriptions/words.py."""


def say(kind: str, data: Mapping[str, Any]) -> str:
    """The event as a sentence. A kind that a later version wrote is shown as it is."""
    sentence = SENTENCES.get(kind)
    if sentence is None:
        return kind.replace("_", " ").capitalize() + "."
    return sentence.format_map(_Filling(data))


def say_source(source: str) -> str:
    """Who or what caused it."""
    return SOURCES.get(source, source)


class _Value:
    """A value of an event's data that knows how to be written for people."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __format__(self, how: str) -> str:
        value = self._value
        if value is None or value == "":
            return "unknown"
        if how == "when":
            return _when(value)
        if how == "size":
            return filesizeformat(value).replace("\xa0", " ")
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return str(value).rstrip(".")


class _Filling(dict[str, _Value]):
    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({name: _Value(value) for name, value in data.items()})

    def __missing__(self, name: str) -> _Value:
        return _Value(None)


def _when(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
