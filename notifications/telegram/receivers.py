"""What needs a person becomes a job that tells the admins: once per group, not once per event."""

from typing import Any

from django.conf import settings
from django.dispatch import receiver

from jobs.alerts import attention_needed
from jobs.breakers import breaker_changed
from jobs.registry import Debounce
from jobs.schedules import schedule_quarantined
from notifications.telegram.tasks import tell_admins

WINDOW = Debounce("5s", max_wait="30s")  # events that come together are one message


@receiver(attention_needed, dispatch_uid="telegram.tell_admins")
def on_attention(*, group: str, title: str, text: str, severity: str, link: str, **_: Any) -> None:
    """Enqueue in the transaction of the event; without admins there is nobody to tell."""
    if not settings.ADMIN_TELEGRAM_IDS:
        return
    tell_admins.enqueue(
        group=group, title=title, text=text, severity=severity, link=link,
        debounce=(group, WINDOW),
    )  # fmt: skip


@receiver(schedule_quarantined, dispatch_uid="telegram.schedule_quarantined")
def on_quarantine(*, entry: Any, reason: str, **_: Any) -> None:
    """A schedule that cannot be fired."""
    on_attention(
        group=f"schedule:{entry.name}", title=f"Schedule {entry.name} is quarantined", text=reason,
        severity="critical", link="/admin/jobs/scheduleentry/",
    )  # fmt: skip


@receiver(breaker_changed, dispatch_uid="telegram.breaker_changed")
def on_breaker(*, name: str, state: str, reason: str, **_: Any) -> None:
    """A service that is down; that of Telegram itself cannot be told through Telegram."""
    if state != "open" or name == "telegram":
        return
    on_attention(
        group=f"breaker:{name}", title=f"{name} does not answer", text=reason,
        severity="critical", link="/admin/jobs/breaker/",
    )  # fmt: skip
