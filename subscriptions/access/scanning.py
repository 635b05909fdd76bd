"""Comparing what provider, ledger and panel say of those who paid lately. Each part stands for itself:
an answer that is none is counted, and neither opens nor closes a gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from jobs.breakers import BreakerOpen
from jobs.context import current_job
from payments.models import Payment
from payments.models import State as PaymentState
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.client import IDS_LIMIT
from payments.providers.cryptobot.errors import CryptoPayError
from payments.providers.cryptobot.types import Invoice
from payments.reviewing import CLOSING
from subscriptions.access.comparing import missing_found, seen_found, waiting_found
from subscriptions.access.gaps import Found, GapKind
from subscriptions.models import AccessGap, Activation, PanelStatus
from subscriptions.panel import door
from subscriptions.panel.errors import PanelError, PanelMissing

LATE = timedelta(seconds=60)
LATELY = timedelta(hours=26)  # what was completed or applied since then is looked at each time
FAILED_LATELY = timedelta(days=2)  # an invoice that was paid after all
COMPLETED_LATELY = timedelta(hours=1)
FAILED_MOST = 1_000
PROVIDER_MOST = 3_000  # invoices of one run
PANEL_MOST = 300  # users of one run with a gap, and without, that are asked for one by one
PACK = 1_000
LEDGER_KINDS = (GapKind.LEDGER_BEHIND, GapKind.LEDGER_AHEAD)
PANEL_KINDS = (GapKind.SHORT, GapKind.OFF, GapKind.GONE)
WAIT_KINDS = (GapKind.NO_ACTIVATION, GapKind.WAITING, GapKind.FAILED, GapKind.HELD)


@dataclass(slots=True)
class Part:
    """What one part of a run saw. sure: the payments about which somebody gave an answer."""

    kinds: Sequence[GapKind]
    found: list[Found] = field(default_factory=list)
    sure: set[UUID] = field(default_factory=set)
    asked: int = 0
    unknown: int = 0


def provider_scan(now: datetime) -> Part:
    """Ledger against provider, for what is open or recent. A few calls, of many invoices each."""
    part = Part(LEDGER_KINDS)
    if not gate.is_configured():
        return part
    payments = _payments_to_ask(now)
    for start in range(0, len(payments), IDS_LIMIT):
        _check()
        pack = payments[start : start + IDS_LIMIT]
        part.asked += len(pack)
        try:
            invoices = gate.invoices_read([int(each.external_id or 0) for each in pack])
        except (CryptoPayError, BreakerOpen):
            part.unknown += len(payments) - start
            break
        _provider_pack(pack, invoices, now, part)
    return part


def _payments_to_ask(now: datetime) -> list[Payment]:
    """Each group by an index of its own: however many payments there were, these are few."""
    invoiced = Payment.objects.filter(external_id__isnull=False)
    has_gap = AccessGap.objects.filter(healed_at=None, kind__in=LEDGER_KINDS).values("payment_id")
    pending = invoiced.filter(state=PaymentState.PENDING)
    failed = invoiced.filter(state=PaymentState.FAILED).order_by("-pk")[:FAILED_MOST]
    groups = (
        invoiced.filter(pk__in=has_gap),
        invoiced.filter(
            state=PaymentState.COMPLETED, completed_at__gt=now - COMPLETED_LATELY
        ).order_by("-completed_at"),
        # Those that nobody has asked about for longest.
        pending.order_by(F("checked_at").asc(nulls_first=True), "pk"),
    )
    found = {each.pk: each for group in groups for each in group[:PROVIDER_MOST]}
    for each in failed:
        if each.failed_at is not None and each.failed_at > now - FAILED_LATELY:
            found.setdefault(each.pk, each)
    return list(found.values())[:PROVIDER_MOST]


def _provider_pack(
    pack: Sequence[Payment], invoices: dict[int, Invoice], now: datetime, part: Part
) -> None:
    # The ledger may have moved on while the provider was asked.
    fresh = Payment.objects.filter(pk__in=[each.pk for each in pack]).in_bulk()
    # Somebody is asked about this money, or has said that it is not taken: neither is a gap.
    in_question = set(
        Payment.objects.filter(pk__in=fresh)
        .filter(
            Q(reviews__isnull=False, reviews__resolved_at=None)
            | Q(reviews__resolution__in=CLOSING, reviews__facts__has_key="came")
        )
        .values_list("pk", flat=True)
    )
    for payment in fresh.values():
        invoice = invoices.get(int(payment.external_id or 0))
        if invoice is None:
            part.unknown += (
                1  # gone at the provider: a Review tells that, and it proves nothing here
            )
            continue
        part.sure.add(payment.pk)
        kind = _ledger_differs(payment, invoice, now)
        if kind is not None and payment.pk not in in_question:
            said = f"{invoice.status}"
            if invoice.paid_at:
                said += f" at {invoice.paid_at:%F %T} UTC"
            part.found.append(
                Found(
                    payment.pk,
                    kind,
                    payment.subscriber_id,
                    {"provider": said, "ledger": payment.state, "panel": "not asked"},
                )
            )


def _ledger_differs(payment: Payment, invoice: Invoice, now: datetime) -> GapKind | None:
    is_done = payment.state in {PaymentState.COMPLETED, PaymentState.REFUNDED}
    if invoice.is_paid and not is_done:
        is_late = invoice.paid_at is None or invoice.paid_at < now - LATE
        return GapKind.LEDGER_BEHIND if is_late else None
    if payment.state == PaymentState.COMPLETED and not invoice.is_paid:
        return GapKind.LEDGER_AHEAD
    return None


def ledger_scan(now: datetime, since: datetime) -> Part:
    """Ledger against activations: what was paid and is not activated, or not yet."""
    part = Part(WAIT_KINDS)
    orphans = Payment.objects.filter(
        state=PaymentState.COMPLETED,
        completed_at__gt=since,
        completed_at__lt=now - LATE,
        activation=None,
    ).order_by("completed_at")[:PACK]
    part.found += [
        Found(
            payment.pk,
            GapKind.NO_ACTIVATION,
            payment.subscriber_id,
            {"provider": "paid", "ledger": "completed, not activated", "panel": "not asked"},
        )
        for payment in orphans
    ]
    for activation in _unapplied(now):
        part.found.append(waiting_found(activation))
    part.asked = len(part.found)
    # Our own rows are always an answer: what is not found is over.
    part.sure = set(
        AccessGap.objects.filter(healed_at=None, kind__in=WAIT_KINDS).values_list(
            "payment_id", flat=True
        )
    )
    return part


def _unapplied(now: datetime) -> Iterator[Activation]:
    after = 0
    rows = (
        Activation.objects.exclude(state=Activation.State.APPLIED)
        .filter(created_at__lt=now - LATE)
        .exclude(payment__state=PaymentState.REFUNDED)
        .select_related("payment", "subscriber")
        .order_by("pk")
    )
    while pack := list(rows.filter(pk__gt=after)[:PACK]):
        yield from pack
        after = pack[-1].pk
        _check()


def panel_scan(now: datetime, since: datetime, *, is_wide: bool = False) -> Part:
    """Activations against the panel. The mirror says whom to ask about, the panel what is so.

    is_wide: also those who paid long ago and lost days since, as when a panel comes back from a backup.
    """
    part = Part(PANEL_KINDS)
    if not door.is_on():
        return part
    for activation in _doubtful(now, since, is_wide=is_wide):
        _check()
        subscriber = activation.subscriber
        if subscriber is None or subscriber.panel_id is None:
            continue
        part.asked += 1
        try:
            user = door.panel_background().user(subscriber.panel_id)
        except PanelMissing:
            found = missing_found(activation)
        except (PanelError, door.PanelOff):
            part.unknown += 1
            continue
        else:
            found = seen_found(activation, user)
        part.sure.add(activation.payment_id)
        if found is not None:
            part.found.append(found)
    return part


def _doubtful(now: datetime, since: datetime, *, is_wide: bool) -> list[Activation]:
    """Applied lately and not served as far as the mirror knows, or with an open gap; oldest first."""
    rows = (
        Activation.objects.filter(state=Activation.State.APPLIED)
        .exclude(payment__state=PaymentState.REFUNDED)
        .select_related("payment", "subscriber")
        .order_by("pk")
    )
    looks_wrong = (
        Q(subscriber__expire_at__lt=F("target_expire_at"))
        | Q(subscriber__status__in=[PanelStatus.DISABLED, PanelStatus.EXPIRED])
        | Q(subscriber__missing_since__isnull=False)
    )
    gaps = AccessGap.objects.filter(kind__in=PANEL_KINDS)
    # Those first that were looked at longest ago: a thousand that cannot be healed hide nobody.
    by_sight = gaps.filter(healed_at=None).order_by("seen_at", "pk")
    known = list(by_sight.values_list("payment_id", flat=True)[:PANEL_MOST])
    told = gaps.filter(Q(healed_at=None) | Q(ending=AccessGap.Ending.DISMISSED))
    # Two questions, for one with OR would look at all that was ever applied.
    untold = rows.filter(target_expire_at__gt=now).exclude(
        Exists(told.filter(payment_id=OuterRef("payment_id")))
    )
    groups = [rows.filter(payment_id__in=known)]
    groups.append(untold.filter(looks_wrong, applied_at__gt=since)[:PANEL_MOST])
    if is_wide:
        groups.append(untold.filter(subscriber__expire_at__lt=F("target_expire_at"))[:PANEL_MOST])
    return list({each.pk: each for group in groups for each in group}.values())


def _check() -> None:
    job = current_job()
    if job is not None:
        job.check()
