"""Alerts for tests, made by the services, and the runs of the jobs that tell."""

from datetime import timedelta
from typing import Any

from jobs.testing import drain
from lib import clock
from monitoring.alerts.models import Alert, AlertEvent
from monitoring.alerts.services import alert_raise
from monitoring.alerts.tasks import escalate, tell
from notifications.telegram.markup import plain
from notifications.telegram.models import QueuedMessage

SECRET = "the-secret-of-the-webhook"


def raised(key: str = "fra-1", **changes: Any) -> Alert:
    """An alert that is open."""
    given: dict[str, Any] = {
        "rule": "node_offline",
        "severity": "critical",
        "title": f"Server {key} is offline",
        **changes,
    }
    return alert_raise(key=key, **given)


def tell_run(after_s: float = 31) -> list[str]:
    """Tell, so long from now. The texts of all messages so far, oldest first."""
    with clock.shift(timedelta(seconds=after_s)):
        tell.enqueue()
        drain(queues=["notifications"], limit=200)
    return texts()


def press_run(after: timedelta) -> list[str]:
    """Escalate and remind, so long from now."""
    with clock.shift(after):
        escalate.enqueue()
        drain(queues=["notifications"], limit=200)
    return texts()


def texts() -> list[str]:
    rows = QueuedMessage.objects.filter(notification_type="alert").order_by("id")
    return list(rows.values_list("message", flat=True))


def said(text: str) -> str:
    """What people see of it, with plain blanks."""
    return plain(text).replace("\u00a0", " ")


def fresh(alert: Alert) -> Alert:
    return Alert.objects.select_related("parent", "assigned_to").get(pk=alert.pk)


def story(alert: Alert) -> list[str]:
    """The kinds of its lines."""
    found = AlertEvent.objects.filter(alert=alert).order_by("id")
    return list(found.values_list("kind", flat=True))
