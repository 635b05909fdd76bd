"""Alerts to look at: some of the last days with their notes, and open ones in every state.

The open ones are such as a Prometheus would send: nothing of ours looks for them, so they stay until
somebody resolves them. The critical one is told when the site runs, with buttons to press.
"""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import F

from lib import clock
from monitoring.alerts.acting import alert_acknowledge, alert_assign, alert_resolve
from monitoring.alerts.models import Alert, Telling
from monitoring.alerts.services import alert_clear, alert_raise
from monitoring.alerts.silences import alert_silence, silence_create
from monitoring.alerts.telling import alerts_tell
from monitoring.alerts.wording.foreign import alertmanager_says
from notifications.telegram.models import QueuedMessage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = "alertmanager"
DISK = ("external", "demo-disk")

# (rule, key, severity, title, so long ago, how long it took, who took it, what it was)
_PAST: tuple[tuple[str, str, str, str, timedelta, timedelta, str, str], ...] = (
    ("site_slow", "demo-web", "warning", "Half of the pages take longer than 2 s", 9 * DAY,
     timedelta(minutes=42), "olga", "A report without an index. It has one now."),
    ("external", "demo-disk", "critical", "The disk of the database is 93 % full", 6 * DAY, 2 * HOUR,
     "anna", "WAL of a replica that was gone. The slot is dropped; slots have an alert of their own."),
    ("node_offline", "demo-ams-2", "critical", "Server ams-2 is offline", 3 * DAY,
     timedelta(minutes=18), "olga", "The hosting restarted the machine for a new kernel."),
    ("site_slow", "demo-web", "warning", "Half of the pages take longer than 2 s", 30 * HOUR,
     timedelta(minutes=9), "", ""),
    ("service_down", "demo-cryptobot", "critical", "Crypto Pay does not answer", 26 * HOUR,
     timedelta(minutes=6), "", ""),
)  # fmt: skip


def alerts_make(anna: User, olga: User) -> None:
    """Write the past and the present. In the caller's transaction."""
    people = {"anna": anna, "olga": olga}
    for rule, key, severity, title, ago, lasted, name, note in _PAST:
        began = -ago
        with clock.shift(began):
            alert = alert_raise(
                rule=rule, key=key, severity=severity, says=alertmanager_says(title, ""),
                source=SOURCE, runbook=rule,
            )  # fmt: skip
        with clock.shift(began + timedelta(seconds=31)):
            alerts_tell()
        if name:
            with clock.shift(began + timedelta(minutes=3)):
                alert_acknowledge(alert_id=alert.pk, by=people[name])
        with clock.shift(began + lasted):
            if name:
                alert_resolve(alert_id=alert.pk, by=people[name], note=note)
            else:
                alert_clear(rule=rule, key=key)
        with clock.shift(began + lasted + timedelta(seconds=31)):
            alerts_tell()
    sent = [pk for telling in Telling.objects.all() for pk in telling.messages]
    QueuedMessage.objects.filter(pk__in=sent).update(status="sent", sent_at=F("scheduled_at"))
    _open(anna, olga)


def _open(anna: User, olga: User) -> None:
    now = clock.now()
    with clock.shift(-timedelta(minutes=12)):
        _raise(
            *DISK, "critical", "The disk of the database is 91 % full",
            "device: /dev/nvme0n1p2\ninstance: db-1:9100\nmountpoint: /var/lib/postgresql",
        )  # fmt: skip
        _raise(
            "database_bloat", "demo-queue", "warning", "Autovacuum cannot keep up on db-1",
            "relation: notification_queue", parent=DISK,
        )  # fmt: skip
    with clock.shift(-3 * HOUR):
        taken = _raise(
            "site_memory", "demo-web-2", "warning", "web-2 holds 81 % of its memory",
            "pod: web-2\nlimit: 512 MiB",
        )  # fmt: skip
    with clock.shift(-2 * HOUR):
        alert_acknowledge(alert_id=taken.pk, by=olga)
        alert_assign(alert_id=taken.pk, to=olga, by=anna)
    with clock.shift(-5 * HOUR):
        quiet = _raise(
            "external", "demo-erp", "warning", "The ERP of the bookkeeping does not answer",
            "instance: erp.example:443",
        )  # fmt: skip
        alert_silence(
            alert_id=quiet.pk, until=now + 20 * HOUR, reason="They move until tomorrow.", by=anna
        )
    with clock.shift(-DAY):
        _raise(
            "external", "demo-certificate", "info", "A certificate ends in 13 days",
            "host: panel.example\nissuer: R11",
        )  # fmt: skip
    night = (now + DAY).replace(hour=2, minute=0, second=0, microsecond=0)
    silence_create(
        rule="node_*", key="demo-*", starts_at=night, ends_at=night + 3 * HOUR,
        reason="The hosting of Frankfurt changes its switches.", by=anna,
    )  # fmt: skip


def _raise(
    rule: str,
    key: str,
    severity: str,
    title: str,
    text: str,
    parent: tuple[str, str] | None = None,
) -> Alert:
    return alert_raise(
        rule=rule, key=key, severity=severity, says=alertmanager_says(title, text), source=SOURCE,
        parent=parent,
    )  # fmt: skip
