"""Lists of alerts and silences: newest first, page by page, never counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from lib import clock
from lib.errors import InputInvalid, NotFound
from monitoring.alerts.models import Alert, AlertEvent, EventKind, Severity, Silence, Telling
from monitoring.alerts.words import STATES, state_of
from notifications.telegram.models import QueuedMessage

PAGE = 50
ANY = "all"
UNTAKEN = "untaken"  # open, and neither acknowledged, silenced nor hidden
FILTERS = ("open", UNTAKEN, "acknowledged", "silenced", "hidden", "resolved", ANY)
PAST = 10
CHILDREN = 50
LINES = 200


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; empty fields match all, but for the state: open ones."""

    state: str = ""  # one of FILTERS; empty: open
    severity: str = ""
    rule: str = ""
    key: str = ""
    words: str = ""  # in title, rule or key
    assigned_to: str = ""  # a username
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    ids: tuple[UUID, ...] = ()

    def query(self) -> QuerySet[Alert]:
        """The matching alerts, newest first. Raises InputInvalid for words that are none of ours."""
        if self.state and self.state not in FILTERS:
            raise InputInvalid(f"state must be one of {', '.join(FILTERS)}")
        if self.severity and self.severity not in Severity.values:
            raise InputInvalid(f"severity must be one of {', '.join(Severity.values)}")
        exact = {
            "severity": self.severity or None,
            "rule": self.rule or None,
            "key": self.key or None,
            "assigned_to__username": self.assigned_to or None,
            "opened_at__gte": self.opened_from,
            "opened_at__lt": self.opened_to,
            "pk__in": self.ids or None,
        }
        found = Alert.objects.filter(
            **{name: value for name, value in exact.items() if value is not None}
        )
        if self.words:
            found = found.filter(
                Q(title__icontains=self.words)
                | Q(key__icontains=self.words)
                | Q(rule__icontains=self.words)
            )
        # Rows that were ticked are meant whatever their state has become.
        state = _in_state(self.state or ("open" if not self.ids else ANY))
        return found.filter(state).order_by("-pk")


def _in_state(state: str) -> Q:
    now = clock.now()
    is_open = Q(resolved_at=None)
    hidden = Q(parent__isnull=False, parent__resolved_at=None)
    silenced = Q(silenced_until__gt=now)
    seen = Q(parent=None) | Q(parent__resolved_at__isnull=False)
    heard = Q(silenced_until=None) | Q(silenced_until__lte=now)
    return {
        ANY: Q(),
        "open": is_open,
        "resolved": Q(resolved_at__isnull=False),
        "hidden": is_open & hidden,
        "silenced": is_open & silenced,
        "acknowledged": is_open & Q(acked_at__isnull=False),
        UNTAKEN: is_open & Q(acked_at=None) & seen & heard,
    }[state]


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """Some alerts, and where the next page starts (None: the last)."""

    alerts: list[Alert]
    after: UUID | None
    looked_to: None = None  # what the shared table asks


def alerts_page(where: AlertFilter, *, after: UUID | None = None, size: int = PAGE) -> AlertsPage:
    """Those that match, older than `after`, with parent and assignee. One query."""
    rows = where.query().select_related("parent", "assigned_to")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: size + 1])
    more = len(found) > size
    return AlertsPage(found[:size], found[size - 1].pk if more else None)


def worst_first(alerts: list[Alert]) -> list[Alert]:
    """As somebody wants to see them who asks what is wrong now: untaken first, then by severity."""
    states, severities = list(STATES), Severity.values
    return sorted(
        alerts,
        key=lambda alert: (states.index(state_of(alert)), severities.index(alert.severity)),
    )


def alert_get(alert_id: UUID) -> Alert:
    """One of them. Raises NotFound."""
    row = Alert.objects.select_related("parent", "assigned_to").filter(pk=alert_id).first()
    if row is None:
        raise NotFound(f"there is no alert {alert_id}")
    return row


def counts_open() -> Mapping[str, int]:
    """Open alerts by the word for how they are; one query, of what is open."""
    counts = dict.fromkeys(STATES, 0)
    for alert in Alert.objects.filter(resolved_at=None).select_related("parent")[:1000]:
        counts[state_of(alert)] += 1
    return counts


def rules_known() -> list[str]:
    """The rules of the open alerts, and of the latest thousand."""
    latest = Alert.objects.order_by("-pk").values_list("rule", flat=True)[:1000]
    open_now = Alert.objects.filter(resolved_at=None).values_list("rule", flat=True).distinct()
    return sorted({*latest, *open_now})


def story_of(alert: Alert) -> list[AlertEvent]:
    """What happened to it, the latest last; the latest 200 lines."""
    return list(AlertEvent.objects.filter(alert=alert).order_by("-id")[:LINES])[::-1]


def children_of(alert: Alert) -> list[Alert]:
    """What it explains, or has explained: the latest 50."""
    found = Alert.objects.filter(parent=alert).select_related("parent", "assigned_to")
    return list(found.order_by("-pk")[:CHILDREN])


def past_of(alert: Alert) -> list[Alert]:
    """The latest other alerts of the same rule and key."""
    found = Alert.objects.filter(rule=alert.rule, key=alert.key).exclude(pk=alert.pk)
    return list(found.select_related("parent").order_by("-opened_at")[:PAST])


@dataclass(frozen=True, slots=True)
class Told:
    """A message about an alert: its telling, and its row of the queue as long as that is kept."""

    telling: Telling
    chat: int
    message: QueuedMessage | None


def told_of(story: list[AlertEvent]) -> list[Told]:
    """Who was told, in which message; the latest first. Two queries."""
    kinds = {EventKind.TOLD, EventKind.REMINDED, EventKind.ESCALATED}
    ids = [line.details.get("telling") for line in story if line.kind in kinds][-20:]
    tellings = list(Telling.objects.filter(pk__in=[pk for pk in ids if pk]).order_by("-pk"))
    wanted = [pk for telling in tellings for pk in telling.messages]
    rows = QueuedMessage.objects.defer("message").in_bulk(wanted)
    return [
        Told(telling, chat, rows.get(pk))
        for telling in tellings
        for chat, pk in zip(telling.chats, telling.messages, strict=False)
    ]


def silences_of(alert: Alert) -> list[Silence]:
    """Those that were made from it."""
    return list(Silence.objects.filter(alert=alert).order_by("-pk")[:PAST])


@dataclass(frozen=True, slots=True)
class SilencesPage:
    """Some silences, and where the next page starts."""

    silences: list[Silence]
    after: int | None
    looked_to: None = None


def silences_page(*, state: str = "", after: int | None = None, size: int = PAGE) -> SilencesPage:
    """state: in force, coming, over or all (empty: those that are not over). One query."""
    now = clock.now()
    rows = Silence.objects.order_by("-pk")
    over = Q(ended_at__isnull=False) | Q(ends_at__lte=now)
    if state == "over":
        rows = rows.filter(over)
    elif state == "coming":
        rows = rows.filter(ended_at=None, starts_at__gt=now)
    elif state == "now":
        rows = rows.filter(ended_at=None, starts_at__lte=now, ends_at__gt=now)
    elif state != ANY:
        rows = rows.filter(ended_at=None, ends_at__gt=now)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: size + 1])
    more = len(found) > size
    return SilencesPage(found[:size], found[size - 1].pk if more else None)


def silence_get(silence_id: int) -> Silence:
    """One of them. Raises NotFound."""
    row = Silence.objects.select_related("alert").filter(pk=silence_id).first()
    if row is None:
        raise NotFound(f"there is no silence {silence_id}")
    return row
