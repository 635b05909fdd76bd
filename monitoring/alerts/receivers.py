"""What needs a person becomes an alert, in the transaction of what happened."""

from hashlib import sha256
from typing import Any

from django.dispatch import receiver

from jobs.alerts import attention_needed
from jobs.breakers import breaker_changed
from jobs.schedules import schedule_quarantined
from jobs.storable import storable
from monitoring.alerts import rules
from monitoring.alerts.models import Severity
from monitoring.alerts.services import alert_clear, alert_raise
from monitoring.alerts.wording.catalogue import says
from monitoring.alerts.wording.foreign import attention_says


@receiver(attention_needed, dispatch_uid="alerts.attention")
def on_attention(*, group: str, title: str, text: str, severity: str, link: str, **_: Any) -> None:
    """One alert per group, as long as it is heard of."""
    alert_raise(
        rule=rules.ATTENTION,
        key=_key(group),
        severity=severity if severity in Severity.values else Severity.WARNING,
        says=attention_says(group, title, text),
        link=link,
    )


@receiver(schedule_quarantined, dispatch_uid="alerts.schedule_quarantined")
def on_quarantine(*, entry: Any, reason: str, **_: Any) -> None:
    """A schedule that cannot be fired: a person puts it right, and resolves this."""
    alert_raise(
        rule=rules.SCHEDULE,
        key=_key(entry.name),
        severity=Severity.CRITICAL,
        says=says("schedule_quarantined", schedule=entry.name, reason=reason or None),
        link="/admin/jobs/scheduleentry/",
    )


@receiver(breaker_changed, dispatch_uid="alerts.breaker_changed")
def on_breaker(*, name: str, state: str, reason: str, **_: Any) -> None:
    """A service that does not answer those who need it, from the first pause until it is used again.

    If it is looked at by itself, the alert of the look and this one are twins (rules.TWINS).
    """
    if state == "open":
        alert_raise(
            rule=rules.BREAKER,
            key=_key(name),
            severity=Severity.CRITICAL,
            says=says("breaker_open", name=name, reason=reason or None),
            link="/admin/jobs/breaker/",
        )
    elif state == "closed":
        alert_clear(rule=rules.BREAKER, key=_key(name), note=reason)


def _key(name: str) -> str:
    """A name of any length and with anything in it, as a key."""
    plain = storable(name).strip() or "unnamed"
    if len(plain) <= 200:
        return plain
    return f"{plain[:180]}-{sha256(plain.encode()).hexdigest()[:16]}"
