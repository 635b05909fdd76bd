"""Raising and clearing alerts: the interface for whoever finds that something is wrong.

    alert_raise(rule="node_offline", key=str(node.pk), severity="critical",
        says=says("node_offline", name="fra-1", ...), link=..., source="monitoring.check_nodes",
        parent=("panel_unreachable", "panel"))
    alert_clear(rule="node_offline", key=str(node.pk))

What people do with an alert is in acting.py.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Q, QuerySet, When

from jobs import sql
from jobs.storable import storable
from lib import clock
from lib.errors import InputInvalid
from lib.ids import uuid7
from monitoring.alerts import rules
from monitoring.alerts.fitting import alert_quiet
from monitoring.alerts.links import path_of
from monitoring.alerts.models import Alert, EventKind, Severity
from monitoring.alerts.story import line_write
from monitoring.alerts.waking import tell_soon
from monitoring.alerts.wording.saying import Says, Words
from monitoring.dashboard.events import event_note

TEXT_LIMIT = 4000
MOST_TOLD, LATELY = 3, timedelta(hours=1)
_WORST_FIRST = [Severity.CRITICAL.value, Severity.WARNING.value, Severity.INFO.value]

_OPEN = """
INSERT INTO alert (id, rule, key, severity, title, text, link, source, runbook, parent_rule, parent_key,
    opened_at, noticed_at, tell_at)
VALUES (%s, %s, %s, %s, '', '', '', '', '', '', '', %s, %s, %s)
ON CONFLICT (rule, key) WHERE resolved_at IS NULL DO NOTHING
"""


@transaction.atomic
def alert_raise(
    *,
    rule: str,
    key: str,
    severity: str,
    says: Says | None = None,
    title: str = "",
    text: str = "",
    link: str = "",
    source: str = "",
    runbook: str = "",
    parent: tuple[str, str] | None = None,
    at: datetime | None = None,
) -> Alert:
    """Say that something is wrong. People are told within ALERT_GROUP, with what else has come up.

    key: of what, the same each time; at most 200 characters. says: its words, in the language of who
    reads; without, title and text are read by everybody as they are. link: a path of the console; source: the
    kind of job that looks, which a person may run again; runbook: an anchor in docs/runbook.md, the
    rule if empty. parent: (rule, key) of what explains this while it is open: then nobody is told.
    Repeat: an open (rule, key) is only noticed again; its texts become the latest, its severity may
    rise, which is told anew. Raises InputInvalid. Locks: the row of the alert.
    """
    _check(rule, key, severity)
    now = clock.now()
    moment = at or now
    alert, is_new = _open_or_lock(rule, key, severity, moment)
    old_severity = alert.severity
    words = Words(title, text) if says is None else says.words()
    alert.title = _cut(words.title, 200) or rule
    alert.text = _cut(words.text, TEXT_LIMIT)
    alert.says = {} if says is None else says.stored()
    alert.link = link if len(link) <= 300 else ""
    alert.source, alert.runbook = source[:60], (runbook or rule)[:60]
    alert.parent_rule, alert.parent_key = parent or ("", "")
    alert.parent = parent_find(alert) or alert.parent
    alert.noticed_at = max(alert.noticed_at, moment)
    if is_new:
        line_write(alert, EventKind.OPENED, at=moment, severity=severity)
        alert_quiet(alert)
    else:
        alert.count += 1
        _severity_rise(alert, severity)
        _told_again(alert)
    alert.save()
    if is_new or alert.severity != old_severity:
        _feed(alert, rule, alert.title, alert.severity)
    if alert.tell_at is not None:
        tell_soon()
    return alert


@transaction.atomic
def alert_clear(*, rule: str, key: str, note: str = "", at: datetime | None = None) -> Alert | None:
    """Say that it is well again. Those who were told are told so. None: no such alert was open.

    Repeat: does nothing. Locks: the row of the alert.
    """
    alert = (
        Alert.objects.select_for_update(no_key=True)
        .filter(rule=rule, key=key, resolved_at=None)
        .first()
    )
    if alert is not None:
        alert_end(alert, note=note, at=at)
    return alert


@transaction.atomic
def alerts_clear_others(*, rule: str, keys: Collection[str]) -> int:
    """Clear the open alerts of a rule whose key is not among these. Returns how many.

    Repeat: safe. Locks: the rows of those alerts, by id.
    """
    others = (
        Alert.objects.select_for_update(no_key=True)
        .filter(rule=rule, resolved_at=None)
        .exclude(key__in=list(keys))
        .order_by("pk")
    )
    cleared = list(others)
    for alert in cleared:
        alert_end(alert)
    return len(cleared)


def alerts_open(rule: str | None = None) -> QuerySet[Alert]:
    """What is wrong now, the oldest first; also what is hidden, silenced or acknowledged."""
    found = Alert.objects.filter(resolved_at=None).order_by("opened_at", "pk")
    return found if rule is None else found.filter(rule=rule)


def comes_and_goes(rule: str, key: str) -> bool:
    """Whether people heard of it MOST_TOLD times within LATELY, each an alert of its own. One query.

    Then another one is told only if it stays for ALERT_REPEAT: nobody is woken each minute all night.
    """
    lately = Alert.objects.filter(
        rule=rule, key=key, opened_at__gt=clock.now() - LATELY, last_told_at__isnull=False
    )
    return lately.count() >= MOST_TOLD


def alert_end(
    alert: Alert, *, by: str = "", note: str = "", at: datetime | None = None, tell: bool = True
) -> None:
    """Resolve an open alert that the caller has locked. by: a person; empty: it is well by itself.

    Told if people know that it was open; what is about Telegram itself is told once Telegram is back,
    even if nobody could be told before (unless something else that is told explains it).
    """
    now = clock.now()
    alert.resolved_at, alert.resolved_by = max(at or now, alert.opened_at), by[:150]
    is_known = alert.told_at is not None or (
        rules.is_about_telegram(alert.rule, alert.key)
        and alert.parent_id is None
        and not comes_and_goes(alert.rule, alert.key)
    )
    alert.tell_at = now + settings.ALERT_GROUP if is_known and tell else None
    changed = ["resolved_at", "resolved_by", "tell_at"]
    if note:
        alert.note = _cut("\n".join(filter(None, [alert.note, note])), TEXT_LIMIT)
        changed.append("note")
    alert.save(update_fields=changed)
    line_write(alert, EventKind.RESOLVED, by=by, at=alert.resolved_at, note=_cut(note, 500))
    _feed(alert, f"{alert.rule}_resolved", f"Resolved: {alert.title}")
    tell_soon()  # also for those that it has hidden


def parent_find(alert: Alert) -> Alert | None:
    """The open alert that explains this one, if there is one. One query on an index."""
    explains = Q(rule=alert.parent_rule, key=alert.parent_key) if alert.parent_rule else Q()
    if rules.is_outside(alert.rule, alert.key):
        explains |= Q(rule=rules.UPLINK)
    if twins := rules.twins_of(alert.rule):
        heard = Q(silenced_until=None) | Q(silenced_until__lte=clock.now())
        explains |= Q(heard, rule__in=twins, key=alert.key, pk__lt=alert.pk)
    if not explains:
        return None
    found = Alert.objects.filter(explains, resolved_at=None).exclude(pk=alert.pk)
    named_first = Case(When(rule=rules.UPLINK, then=1), default=0)
    return found.order_by(named_first, "opened_at", "pk").first()


def _check(rule: str, key: str, severity: str) -> None:
    if not rule or len(rule) > 60 or not key or len(key) > 200:
        raise InputInvalid("a rule has 1 to 60 characters, a key 1 to 200")
    if storable(rule + key) != rule + key:
        raise InputInvalid("rule and key must be texts that can be stored")
    if severity not in Severity.values:
        raise InputInvalid(f"severity must be one of {', '.join(Severity.values)}")


def _open_or_lock(rule: str, key: str, severity: str, at: datetime) -> tuple[Alert, bool]:
    """The open alert, locked, and whether it was opened just now.

    The constraint decides who opens it. Who comes second waits for the first, and finds it; if it was
    resolved in between, the next round opens another.
    """
    found = Alert.objects.select_for_update(no_key=True).filter(
        rule=rule, key=key, resolved_at=None
    )
    while True:
        if (alert := found.first()) is not None:
            return alert, False
        wait = settings.ALERT_REPEAT if comes_and_goes(rule, key) else settings.ALERT_GROUP
        tell_at = clock.now() + wait
        if sql.run(_OPEN, [uuid7(), rule, key, severity, at, at, tell_at]):
            return found.get(), True


def _severity_rise(alert: Alert, severity: str) -> None:
    if _WORST_FIRST.index(severity) >= _WORST_FIRST.index(alert.severity):
        return
    line_write(alert, EventKind.WORSE, old=alert.severity, new=severity)
    alert.severity = severity
    if alert.acked_at is None:
        alert.tell_at = alert.tell_at or clock.now() + settings.ALERT_GROUP


def _told_again(alert: Alert) -> None:
    """What only announces itself happens anew each time: it is told again, but not too often.

    Who has acknowledged it has seen what was there: that holds for ALERT_REMIND.
    """
    if alert.rule != rules.ATTENTION:
        return
    now = clock.now()
    if alert.acked_at is not None:
        if alert.acked_at > now - settings.ALERT_REMIND:
            return
        alert.acked_at, alert.acked_by = None, ""
        line_write(alert, EventKind.AGAIN, count=alert.count)
    if alert.tell_at is not None:
        return
    soonest = now + settings.ALERT_GROUP
    last = alert.last_told_at
    alert.tell_at = soonest if last is None else max(soonest, last + settings.ALERT_REPEAT)


def _feed(alert: Alert, kind: str, title: str, severity: str = "info") -> None:
    """A line for everybody who looks at the dashboard."""
    if alert.rule not in rules.OWN_LINES:
        event_note(kind, title, path_of(alert), severity)


def _cut(text: str, limit: int) -> str:
    kept = storable(text).strip()
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"
