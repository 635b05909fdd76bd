"""What is wrong with somebody's access, in sentences, the worst first, and which button helps.

This is what answers "I paid and have no access": every way in which money can stay without access has
its sentence here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from django.template.defaultfilters import filesizeformat

from payments.models import Payment, State
from payments.words import amount_say, failure_say
from subscriptions.access.gaps import REMEDIES, TITLES
from subscriptions.mirror.drifts import IDENTITY
from subscriptions.models import Activation, CutBy, PanelStatus
from subscriptions.screens.person import Person

FRESH = timedelta(minutes=1)  # within it, access is on its way
LATELY = timedelta(days=3)  # an order that old is what somebody means by "I paid"


class Weight(IntEnum):
    """How bad it is."""

    ERROR = 3
    WARNING = 2
    NOTE = 1
    FINE = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing. act: the button that helps, by its name, and what it is about (subscriptions/admin)."""

    weight: Weight
    title: str
    text: str = ""
    act: str = ""
    key: Any = None
    facts: tuple[tuple[str, str], ...] = ()  # who says what
    question_id: int | None = None  # a page where a person decides
    payment: Payment | None = None


def troubles(person: Person) -> list[Trouble]:
    """All that is wrong, the worst first; if nothing is, the one line that says so. No query."""
    found = [
        *_gaps(person),
        *_activations(person),
        *_questions(person),
        *_state(person),
        *_orders(person),
        *_around(person),
    ]
    found.sort(key=lambda each: -each.weight)
    if not any(each.weight > Weight.NOTE for each in found):
        until = _when(person.row.expire_at)
        fine = f"Nothing is wrong: the panel serves until {until}."
        found.insert(0, Trouble(Weight.FINE, fine))
    return found


def _gaps(person: Person) -> Iterator[Trouble]:
    for gap in person.gaps:
        facts = ("provider", "Crypto Pay"), ("ledger", "our ledger"), ("panel", "the panel")
        remedy = REMEDIES.get(gap.kind, "")
        yield Trouble(
            Weight.ERROR,
            f"Money without access: {TITLES.get(gap.kind, gap.kind)}.",
            f"{_price(gap.payment)} for {gap.payment.plan_title}; seen first {_when(gap.found_at)}. "
            f"{gap.facts.get('error', '')}".strip(),
            act="heal" if remedy else "",
            key=gap,
            facts=tuple((who, gap.facts[name]) for name, who in facts if gap.facts.get(name)),
            payment=gap.payment,
        )


def _activations(person: Person) -> Iterator[Trouble]:
    told = {gap.payment_id for gap in person.gaps}
    for payment in person.payments:
        if payment.pk in told or payment.state != State.COMPLETED:
            continue
        activation = person.activations.get(payment.pk)
        if activation is None:
            yield Trouble(
                Weight.ERROR,
                f"Paid {_price(payment)} on {_when(payment.paid_at)}, and nothing was activated.",
                "Compare now: what is missing is made by itself.",
                act="compare",
                payment=payment,
            )
        elif activation.state != Activation.State.APPLIED:
            yield _waiting(person, payment, activation)


def _waiting(person: Person, payment: Payment, activation: Activation) -> Trouble:
    paid = f"Paid {_price(payment)} on {_when(payment.paid_at)}"
    why = activation.last_error or activation.get_reason_display()
    if activation.state == Activation.State.HELD:
        return Trouble(
            Weight.ERROR,
            f"{paid}, but a person had disabled the access, so it stays off.",
            "Lift the hold and the paid period begins, or give the money back.",
            act="release",
            key=activation,
            payment=payment,
        )
    if activation.reason == Activation.Reason.MISSING and activation.subscriber_id:
        return Trouble(
            Weight.ERROR,
            f"{paid}, but the panel has no such user any more.",
            "Create the user again: name and paid date stay, the link is new.",
            act="recreate",
            key=activation,
            payment=payment,
        )
    if activation.state == Activation.State.FAILED:
        return Trouble(
            Weight.ERROR,
            f"{paid}, but switching it on failed: {why or 'no reason is known'}.",
            f"Tried {activation.attempts} times.",
            act="retry",
            key=activation,
            payment=payment,
        )
    if person.now - activation.created_at < FRESH:
        return Trouble(
            Weight.NOTE, f"{paid}; access is being switched on.", "This takes some seconds.",
            payment=payment,
        )  # fmt: skip
    return Trouble(
        Weight.ERROR,
        f"{paid}, and access is not switched on yet{f': {why}' if why else ''}.",
        "It is tried again by itself; the button does it now.",
        act="retry",
        key=activation,
        payment=payment,
    )


def _questions(person: Person) -> Iterator[Trouble]:
    for question in person.questions:
        came = question.facts.get("paid") or question.facts.get("came") or ""
        yield Trouble(
            Weight.ERROR,
            f"Money came that does not fit its order: {question.get_reason_display()}.",
            f"A person must decide before anything is activated. {came}".strip(),
            question_id=question.pk,
            payment=question.payment,
        )


def _state(person: Person) -> Iterator[Trouble]:
    row = person.row
    if row.missing_since is not None:
        yield _gone(person)
    elif row.panel_id is None or any(each.field == IDENTITY for each in person.drifts):
        yield Trouble(
            Weight.ERROR,
            "The panel has another person under the number of this one.",
            "Nothing is written to it. Say under “The panel and we differ” whether it is the same.",
        )
    elif row.status == PanelStatus.DISABLED:
        yield _disabled(person)
    elif person.is_over or row.status == PanelStatus.EXPIRED:
        is_paid = bool(person.gaps) or any(True for _ in _activations(person))
        is_billed = any(each.state == State.PENDING for each in person.payments)
        text = "Nothing was paid since. Send an invoice, or extend by hand."
        if is_paid or is_billed:
            text = "" if is_paid else "Nothing was paid since; the link of the invoice is below."
        yield Trouble(
            Weight.WARNING,
            f"The time was over on {_when(row.expire_at)}.",
            text,
            act="" if is_paid or is_billed else "order",
        )
    elif row.status == PanelStatus.LIMITED:
        used, most = _size(row.used_traffic_bytes), _size(row.traffic_limit_bytes)
        yield Trouble(
            Weight.WARNING,
            f"The traffic is used up: {used} of {most}. The panel serves no longer.",
            "Set the counter to zero, or wait for the next reset.",
            act="reset_traffic",
        )


def _gone(person: Person) -> Trouble:
    row = person.row
    lasting = [
        each
        for each in person.activations.values()
        if each.target_expire_at and each.target_expire_at > person.now
    ]
    since = _when(row.missing_since)
    if lasting:
        return Trouble(
            Weight.ERROR,
            f"The panel has no such user any more (since {since}), and the time is paid for.",
            "Create the user again: name and paid date stay, the link is new.",
            act="recreate",
            key=max(lasting, key=lambda each: each.pk),
        )
    return Trouble(
        Weight.WARNING,
        f"The panel has no such user any more (since {since}).",
        "Nothing that was paid is left. Buying again makes a new user.",
    )


def _disabled(person: Person) -> Trouble:
    row = person.row
    who = {
        CutBy.OPERATOR: "here, by a person",
        CutBy.BULK: "by a bulk operation",
        CutBy.SWEEP: "by our sweep",
        CutBy.PANEL: "in the panel, not by us",
    }.get(CutBy(row.cut_by), "in the panel")
    if person.cut is not None and person.cut.actor:
        who = (
            f"by {person.cut.actor}"
            if row.cut_by == CutBy.OPERATOR
            else f"{who} of {person.cut.actor}"
        )
    at = f" on {_when(row.cut_at)}" if row.cut_at else ""
    why = f": {row.cut_reason}" if row.cut_reason else ""
    comes_back = row.cut_by in {CutBy.SWEEP, CutBy.BULK}
    paying = (
        "Paying brings it back." if comes_back else "Paying does not bring it back: a person does."
    )
    text = f"The time is over, too ({_when(row.expire_at)}). {paying}" if person.is_over else paying
    return Trouble(
        Weight.ERROR if not comes_back else Weight.WARNING,
        f"Disabled {who}{at}{why.rstrip('.')}.",
        text,
        act="extend" if person.is_over else "enable",
    )


def _orders(person: Person) -> Iterator[Trouble]:
    """Orders that the customer may mean when he says that he paid."""
    for payment in person.payments:
        if person.now - payment.created_at > LATELY:
            continue
        asked = f"Crypto Pay was last asked {_when(payment.checked_at)}"
        if payment.checked_at is None:
            asked = "Crypto Pay was not asked yet"
        if payment.state == State.PENDING:
            yield Trouble(
                Weight.WARNING,
                f"An invoice of {_price(payment)} is open and not paid as far as we know.",
                f"{asked}. If it was paid, asking now completes it.",
                act="recheck",
                key=payment,
                payment=payment,
            )
        elif payment.state == State.CREATED:
            yield Trouble(
                Weight.NOTE if person.now - payment.created_at < FRESH else Weight.WARNING,
                f"An order of {_price(payment)} has no invoice yet.",
                "It is being made; asking Crypto Pay finds it, too.",
                act="recheck",
                key=payment,
                payment=payment,
            )
        elif payment.state == State.FAILED and payment.external_id:
            yield Trouble(
                Weight.NOTE,
                f"An order of {_price(payment)} was given up: {failure_say(payment.failure)}.",
                f"{asked}. If somebody says that it was paid, ask again.",
                act="recheck",
                key=payment,
                payment=payment,
            )


def _around(person: Person) -> Iterator[Trouble]:
    """What makes the rest less sure, or messages not arrive."""
    if person.is_panel_away:
        yield Trouble(
            Weight.WARNING,
            "The panel does not answer just now.",
            f"This page says what it said {_when(person.row.mirrored_at)}.",
        )
    if person.chat is not None and person.chat.unreachable_since is not None:
        yield Trouble(
            Weight.NOTE,
            f"Telegram cannot reach the person since {_when(person.chat.unreachable_since)}.",
            f"Reason: {(person.chat.unreachable_reason or 'unknown').replace('_', ' ')}. "
            "Reminders and receipts do not arrive.",
        )
    if person.row.telegram_id is None:
        yield Trouble(
            Weight.NOTE,
            "No Telegram account is known.",
            "Nothing can be told: send the invoice by another way.",
        )


def _price(payment: Payment) -> str:
    if payment.paid_amount is not None:
        return f"{amount_say(payment.paid_amount)} {payment.paid_asset}"
    return f"{amount_say(payment.amount)} {payment.currency}"


def _size(value: int) -> str:
    return filesizeformat(value).replace("\xa0", " ")


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "an unknown day"
