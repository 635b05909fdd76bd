"""Everything that the page of one subscriber is told from, read in a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q

from jobs.models import Breaker
from lib import clock
from lib.errors import NotFound
from notifications.telegram.models import Chat
from payments.models import Payment, Review
from subscriptions.models import (
    AccessGap,
    Activation,
    Drift,
    PanelStatus,
    Renewal,
    Subscriber,
    SubscriberEvent,
)
from subscriptions.panel.errors import BREAKER

PAYMENTS = 20  # the latest that are shown
SERVED = frozenset({PanelStatus.ACTIVE, PanelStatus.LIMITED})


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber with what belongs to him. Lists are newest first; activations by payment."""

    row: Subscriber
    now: datetime
    payments: Sequence[Payment] = ()
    activations: dict[UUID, Activation] = field(default_factory=dict)
    gaps: Sequence[AccessGap] = ()
    questions: Sequence[Review] = ()
    drifts: Sequence[Drift] = ()
    chat: Chat | None = None
    cut: SubscriberEvent | None = None  # the act that disabled him, if it was ours
    renewal: Renewal | None = None  # for the end that he has now
    is_panel_away: bool = False

    @property
    def is_over(self) -> bool:
        """Whether his time has passed."""
        return self.row.expire_at <= self.now

    @property
    def is_served(self) -> bool:
        """Whether the panel lets him connect, as far as the mirror knows."""
        return (
            self.row.status == PanelStatus.ACTIVE
            and not self.is_over
            and self.row.missing_since is None
        )

    @property
    def left(self) -> timedelta:
        """How long he is still paid for; negative once it is over."""
        return self.row.expire_at - self.now

    @property
    def local_end(self) -> str:
        """The end on his own clock: "2026-12-20 21:00 in Europe/Moscow"; empty if nobody knows it."""
        try:
            zone = ZoneInfo(self.row.time_zone) if self.row.time_zone else None
        except (ZoneInfoNotFoundError, ValueError):
            zone = None
        if zone is None:
            return ""
        return f"{self.row.expire_at.astimezone(zone):%Y-%m-%d %H:%M} in {self.row.time_zone}"


def person_get(subscriber_id: int) -> Person:
    """One subscriber with everything that belongs to him. Eleven queries at most. Raises NotFound."""
    row = Subscriber.objects.select_related("plan").filter(pk=subscriber_id).first()
    if row is None:
        raise NotFound(f"there is no subscriber {subscriber_id}")
    payments = _payments(row)
    keys = [payment.pk for payment in payments]
    chat = row.telegram_id
    return Person(
        row=row,
        now=clock.now(),
        payments=payments,
        activations={
            each.payment_id: each for each in Activation.objects.filter(payment_id__in=keys)
        },
        gaps=list(
            AccessGap.objects.filter(payment_id__in=keys, healed_at=None)
            .select_related("payment")
            .order_by("found_at")
        ),
        questions=list(
            Review.objects.filter(payment_id__in=keys, resolved_at=None)
            .select_related("payment")
            .order_by("-id")
        ),
        drifts=list(Drift.objects.filter(subscriber=row, resolved_at=None).order_by("field")),
        chat=Chat.objects.filter(pk=chat).first() if chat else None,
        cut=_cut(row),
        renewal=Renewal.objects.filter(subscriber=row, expire_at=row.expire_at).first(),
        is_panel_away=Breaker.objects.filter(name=BREAKER)
        .exclude(state=Breaker.State.CLOSED)
        .exists(),
    )


def _payments(row: Subscriber) -> list[Payment]:
    """His, and those of his chat that are nobody's yet: somebody new is bound once he has paid."""
    whose = Q(subscriber_id=row.pk)
    if row.telegram_id:
        whose |= Q(telegram_id=row.telegram_id, subscriber_id=None)
    return list(Payment.objects.filter(whose).order_by("-id")[:PAYMENTS])


def _cut(row: Subscriber) -> SubscriberEvent | None:
    if row.status != PanelStatus.DISABLED or not row.cut_by:
        return None
    kinds = ["disabled", "cut", "panel_disabled"]
    return SubscriberEvent.objects.filter(subscriber=row, kind__in=kinds).order_by("-id").first()
