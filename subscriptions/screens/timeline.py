"""One story of a subscriber from everything that keeps a part of it: payments, activations, messages,
reminders, the panel, operations, staff. Newest first.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.html import strip_tags

from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import message_explain
from payments.models import IncomingWebhook, PaymentEvent
from payments.words import say as say_payment
from subscriptions.bulk.closing import title_of
from subscriptions.bulk.rules import REASONS
from subscriptions.lifecycle.reasons import item_reason, notice_reason
from subscriptions.models import BulkItem, Notice, NoticeState, Stage, SubscriberEvent, SweepItem
from subscriptions.screens.person import Person
from subscriptions.words import say, say_source

PAGE = 60
# Groups that a person can choose; each line belongs to one.
GROUPS = {
    "money": "Money and access",
    "messages": "Messages",
    "panel": "The panel",
    "operations": "Sweeps and operations",
    "staff": "Staff",
}
_GROUP_OF_SOURCE = {
    "payment": "money",
    "renewal": "money",
    "panel": "panel",
    "mirror": "panel",
    "sweep": "operations",
    "bulk": "operations",
    "file": "operations",
    "staff": "staff",
    "api": "staff",
}
# Said better by the row of the message, or of the payment, that they are about.
_MESSAGES = frozenset({"told_served", "told_waiting", "renewal_told"})
_TWICE = {"ordered": "order_made", "completed": "paid"}
_BAD = frozenset(
    {
        "activation_failed", "gap_found", "panel_disabled", "disabled", "cut", "deleted", "panel_gone",
        "panel_lost", "review_opened", "invoice_refused", "not_told",
    }
)  # fmt: skip
_GOOD = frozenset(
    {
        "activated", "paid", "gap_closed", "enabled", "extended", "completed", "completed_late",
        "panel_active", "created", "bound",
    }
)  # fmt: skip
_FATES = {"sent": "completed", "failed": "dead", "cancelled": "cancelled", "pending": "available"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. tone: a class of static/jobs/console.css. link: (name of an address, key, words)."""

    at: datetime
    group: str
    text: str
    tone: str = "scheduled"
    detail: str = ""
    source: str = ""
    actor: str = ""
    job_id: UUID | None = None
    link: tuple[str, object, str] | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Some lines, and the moment before which the next ones are (None: these were all)."""

    lines: Sequence[Line]
    before: datetime | None


def story_of(
    person: Person, *, group: str = "", before: datetime | None = None, size: int = PAGE
) -> Story:
    """The lines of somebody, or those of a group. Eight queries at most, each on an index."""
    asked: list[tuple[set[str], Callable[[Person, datetime | None, int], Iterator[Line]]]] = [
        ({*GROUPS}, _events),
        ({"money"}, _payments),
        ({"messages"}, _messages),
        ({"messages"}, _notices),
        ({"operations"}, _bulk),
        ({"operations"}, _sweeps),
    ]
    if group == "panel":
        asked.append(({"panel"}, _webhooks))
    found: list[Line] = []
    for groups, read in asked:
        if not group or group in groups:
            found += [
                line for line in read(person, before, size + 1) if not group or line.group == group
            ]
    found.sort(key=lambda line: line.at, reverse=True)
    lines = found[:size]
    return Story(lines, lines[-1].at if len(found) > size else None)


def _older(name: str, before: datetime | None) -> dict[str, Any]:
    return {f"{name}__lt": before} if before else {}


def _events(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    rows = SubscriberEvent.objects.filter(subscriber=person.row, **_older("at", before))
    for row in rows.order_by("-at", "-id")[:size]:  # some are told later than they happened
        if row.kind in _MESSAGES and person.row.telegram_id:
            continue
        yield Line(
            at=row.at,
            group=_GROUP_OF_SOURCE.get(row.source, "staff"),
            text=say(row.kind, row.data),
            tone=_tone(row.kind),
            detail=_reason(row.kind, row.data),
            source=say_source(row.source),
            actor=row.actor,
            job_id=row.job_id,
            link=_link(row.payment_id, row.data),
        )


def _reason(kind: str, data: Mapping[str, Any]) -> str:
    """Why, where the sentence has no room for it."""
    return str(data.get("reason") or "") if kind in {"extended", "enabled", "traffic_reset"} else ""


def _link(payment_id: UUID | None, data: Mapping[str, Any]) -> tuple[str, object, str] | None:
    if payment_id is not None:
        return "payments_payment_change", payment_id, "payment"
    if operation := data.get("operation"):
        return "subscriptions_bulkoperation_change", operation, "operation"
    if sweep := data.get("sweep"):
        return "subscriptions_sweep_change", sweep, "sweep"
    return None


def _tone(kind: str) -> str:
    return "dead" if kind in _BAD else "completed" if kind in _GOOD else "scheduled"


def _payments(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    ids = [payment.pk for payment in person.payments]
    rows = PaymentEvent.objects.filter(payment_id__in=ids, **_older("at", before))
    told = set(
        SubscriberEvent.objects.filter(
            subscriber=person.row, kind__in=_TWICE.values(), payment_id__in=ids
        ).values_list("payment_id", "kind")
    )
    for row in rows.order_by("-at", "-id")[:size]:
        if (row.payment_id, _TWICE.get(row.kind)) in told:
            continue
        yield Line(
            at=row.at,
            group="money",
            text=say_payment(row.kind, row.data),
            tone=_tone(row.kind),
            source="Crypto Pay" if row.kind.startswith(("invoice", "checked")) else "a payment",
            actor=row.actor,
            link=("payments_payment_change", row.payment_id, "payment"),
        )


def _messages(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    if not person.row.telegram_id:
        return
    rows = QueuedMessage.objects.filter(
        telegram_id=person.row.telegram_id, **_older("created_at", before)
    )
    for row in rows.order_by("-id")[:size]:
        yield Line(
            at=row.created_at,
            group="messages",
            text=f"Message “{_short(row.message)}” ({row.notification_type.replace('_', ' ')}).",
            tone=_FATES.get(row.status, "scheduled"),
            detail=message_explain(row),
            source="Telegram",
            link=("telegram_queuedmessage_change", row.pk, "message"),
        )


def _short(message: str) -> str:
    """How a message begins, as the person reads it."""
    text = re.sub(r"\s+", " ", strip_tags(message)).strip()
    return text if len(text) <= 90 else f"{text[:89]}…"


def _notices(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    """Reminders that did not become a message; the others are told by theirs."""
    rows = Notice.objects.filter(subscriber=person.row, **_older("created_at", before)).exclude(
        state=NoticeState.QUEUED
    )
    for row in rows.order_by("-created_at")[:size]:
        what = "The message about the end" if row.stage == Stage.EXPIRED else (
            f"The reminder {row.get_stage_display()}"
        )  # fmt: skip
        end = f"({row.expire_at:%Y-%m-%d %H:%M} UTC)"
        if row.state == NoticeState.DUE:
            text, tone = f"{what} {end} is about to be sent.", "available"
        else:
            text, tone = f"{what} {end} was not sent.", "cancelled"
        yield Line(
            at=row.decided_at or row.created_at,
            group="messages",
            text=text,
            tone=tone,
            detail=notice_reason(row.reason) if row.reason else "",
            source="reminders",
            job_id=row.job_id,
        )


def _bulk(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    """Operations that did nothing to him, and why; what they did is in the story."""
    rows = (
        BulkItem.objects.filter(subscriber=person.row, state__in=["failed", "skipped", "pending"])
        .filter(**_older("operation__created_at", before))
        .select_related("operation")
    )
    for row in rows.order_by("-id")[:size]:
        why = REASONS.get(row.reason, row.reason.replace("_", " "))
        if row.state == "pending":
            text, tone = "has not come to this one yet", "available"
        elif row.state == "failed":
            text, tone = f"failed here: {why}", "dead"
        else:
            text, tone = f"left this one alone: {why}", "cancelled"
        yield Line(
            at=row.at or row.operation.created_at,
            group="operations",
            text=f"{title_of(row.operation)}: the operation {text}.",
            tone=tone,
            detail=row.detail,
            source="a bulk operation",
            actor=row.operation.created_by,
            link=("subscriptions_bulkoperation_change", row.operation_id, "operation"),
        )


def _sweeps(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    """Sweeps that looked at him and did nothing, and why."""
    rows = (
        SweepItem.objects.filter(subscriber=person.row)
        .exclude(fate__in=["done", ""])
        .filter(**_older("sweep__started_at", before))
        .select_related("sweep")
    )
    for row in rows.order_by("-id")[:size]:
        yield Line(
            at=row.at or row.sweep.started_at,
            group="operations",
            text="A sweep looked at this one, and did nothing.",
            tone="dead" if row.fate == "failed" else "cancelled",
            detail=item_reason(row.reason),
            source="our sweep",
            job_id=row.job_id,
            link=("subscriptions_sweep_change", row.sweep_id, "sweep"),
        )


def _webhooks(person: Person, before: datetime | None, size: int) -> Iterator[Line]:
    """What the panel has sent about him; each made us read him back."""
    if person.row.panel_id is None:
        return
    rows = IncomingWebhook.objects.filter(
        object_ref=f"panel_user:{person.row.panel_id}", **_older("received_at", before)
    )
    for row in rows.order_by("-id")[:size]:
        yield Line(
            at=row.received_at,
            group="panel",
            text=f"The panel sent {row.event}: {row.get_state_display()}.",
            detail=row.last_error,
            source="a webhook",
            link=("payments_incomingwebhook_change", row.pk, "webhook"),
        )
