"""How alerts are told to people: in the console, which is English, and in the language of who reads."""

from django.utils.dateparse import parse_datetime

from lib import clock
from monitoring.alerts.fitting import is_silenced
from monitoring.alerts.models import Alert, AlertEvent, EventKind
from monitoring.alerts.wording.catalogue import CATALOGUE
from monitoring.alerts.wording.saying import ENGLISH, Words, stored_write

STATES = {
    "open": "nobody has taken it",
    "acknowledged": "somebody works on it",
    "silenced": "nobody is told of it for now",
    "hidden": "another open alert explains it",
    "resolved": "it is over",
}


def alert_words(alert: Alert, language: str) -> Words:
    """Title and text in a language; in English if there are no such words for it: told it is, anyhow."""
    if language != ENGLISH and alert.says:
        found = stored_write(CATALOGUE, alert.says, language)
        if found is not None and found.title:
            return found
    return Words(alert.title, alert.text)


def is_hidden(alert: Alert) -> bool:
    """Whether its parent is open. The parent must have been read along."""
    return alert.is_open and alert.parent is not None and alert.parent.is_open


def state_of(alert: Alert) -> str:
    """The word for how an alert is: one of STATES."""
    if not alert.is_open:
        return "resolved"
    if is_hidden(alert):
        return "hidden"
    if is_silenced(alert):
        return "silenced"
    return "open" if alert.acked_at is None else "acknowledged"


def telling_say(alert: Alert) -> str:
    """Whether people know of it, in a sentence."""
    if alert.tell_at is not None:
        what = "Its end" if not alert.is_open else "It"
        if is_hidden(alert):
            return "Nobody is told while what explains it is open."
        if alert.is_open and is_silenced(alert):
            return f"{what} is told when the silence ends, if it is still open."
        if alert.tell_at > clock.now():
            return f"{what} is told together with what else comes up until {alert.tell_at:%H:%M:%S} UTC."
        return f"{what} is due to be told; Telegram must be reachable, and somebody to tell."
    if alert.last_told_at is None:
        return f"Nobody was told{_untold_why(alert)}."
    return f"Last told at {alert.last_told_at:%Y-%m-%d %H:%M:%S} UTC."


def _untold_why(alert: Alert) -> str:
    if alert.acked_at is not None:
        return ": it was acknowledged before that"
    if not alert.is_open:
        return ": it was over before that"
    return ""


def event_say(event: AlertEvent) -> str:
    """A line of the story, without who and when."""
    found = event.details
    kind = event.kind
    if kind == EventKind.OPENED:
        return f"Opened, {found.get('severity', 'unknown')}"
    if kind == EventKind.WORSE:
        return f"Got worse: {found.get('old')} to {found.get('new')}"
    if kind == EventKind.AGAIN:
        return f"Came again after it was acknowledged, time {found.get('count')}"
    if kind in {EventKind.TOLD, EventKind.REMINDED, EventKind.ESCALATED}:
        return _told_say(event)
    if kind == EventKind.SILENCED:
        until = parse_datetime(str(found.get("until", "")))
        why = f": {found['reason']}" if found.get("reason") else ""
        return f"Silenced until {until:%Y-%m-%d %H:%M} UTC{why}" if until else f"Silenced{why}"
    if kind == EventKind.ASSIGNED:
        return f"Assigned to {found['to']}" if found.get("to") else "Assigned to nobody"
    if kind == EventKind.RECHECKED:
        return f"Checked again by {found.get('run')}"
    if kind == EventKind.RESOLVED:
        note = f": {found['note']}" if found.get("note") else ""
        return f"Resolved{note}"
    return str(event.get_kind_display()).capitalize()


def _told_say(event: AlertEvent) -> str:
    what = {EventKind.REMINDED: "Reminded", EventKind.ESCALATED: "Escalated to"}.get(
        EventKind(event.kind), "Told"
    )
    chats = event.details.get("chats", [])
    many = event.details.get("together", 1)
    where = f"{len(chats)} chat{'' if len(chats) == 1 else 's'}"
    return f"{what} {where}" + (f", together with {many - 1} more" if many > 1 else "")
