"""What people do with an alert. Each act is a line of its story and of the audit log.

by is the account; name is how somebody is called who has none here (an admin in Telegram). Locks: the
row of the alert, first of all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import DomainError, NotFound
from monitoring.alerts.checking import recheck_kind
from monitoring.alerts.errors import (
    AlertNotRecheckable,
    AlertResolved,
    AssigneeUnsuitable,
    NobodyToTell,
)
from monitoring.alerts.models import Alert, EventKind
from monitoring.alerts.services import TEXT_LIMIT, alert_end
from monitoring.alerts.showing import alert_show
from monitoring.alerts.story import line_write, who
from monitoring.alerts.telling import escalated_mark, escalation_chats

ALERT = "alert"  # what the audit log calls it
VIEW = "alerts.view_alert"


def alert_lock(alert_id: UUID, *, must_be_open: bool = True) -> Alert:
    """The alert, locked until the transaction ends. Raises NotFound, AlertResolved."""
    alert = Alert.objects.select_for_update(no_key=True).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound(f"there is no alert {alert_id}")
    if must_be_open and not alert.is_open:
        raise AlertResolved(f"{alert.title} is resolved since {alert.resolved_at:%F %T} UTC")
    return alert


@transaction.atomic
def alert_acknowledge(*, alert_id: UUID, by: Account, name: str = "") -> Alert:
    """Somebody has it: it is neither told, reminded of nor escalated any more; its end is.

    Repeat: who came first has it. Raises NotFound, AlertResolved.
    """
    alert = alert_lock(alert_id)
    if alert.acked_at is not None:
        return alert
    alert.acked_at, alert.acked_by, alert.tell_at = clock.now(), who(by, name), None
    alert.save(update_fields=["acked_at", "acked_by", "tell_at"])
    _note(alert, EventKind.ACKED, "alerts.acknowledge", by, name)
    alert_show(alert)
    return alert


@transaction.atomic
def alert_resolve(*, alert_id: UUID, by: Account, name: str = "", note: str = "") -> Alert:
    """A person says that it is over. If it is not, whoever looks raises another.

    note: what it was. Raises NotFound, AlertResolved.
    """
    alert = alert_lock(alert_id)
    alert_end(alert, by=who(by, name), note=note)
    _audit(by, "alerts.resolve", alert, name, note=note[:500])
    alert_show(alert)
    return alert


@transaction.atomic
def alert_assign(*, alert_id: UUID, to: User | None, by: Account, name: str = "") -> Alert:
    """Give it to somebody, or (None) to nobody. Raises NotFound, AlertResolved, AssigneeUnsuitable.

    Repeat: who has it already stays.
    """
    alert = alert_lock(alert_id)
    if alert.assigned_to_id == (to.pk if to else None):
        return alert
    if to is not None and not (to.is_active and to.is_staff and to.has_perm(VIEW)):
        raise AssigneeUnsuitable(f"{to.get_username()} may not see alerts")
    alert.assigned_to = to
    alert.save(update_fields=["assigned_to"])
    _note(alert, EventKind.ASSIGNED, "alerts.assign", by, name, to=to.get_username() if to else "")
    return alert


@transaction.atomic
def alert_note(*, alert_id: UUID, note: str, by: Account, name: str = "") -> Alert:
    """Write down what it was, also when it is over. Replaces the note. Raises NotFound."""
    alert = alert_lock(alert_id, must_be_open=False)
    written = note.strip()[:TEXT_LIMIT]
    if written == alert.note:
        return alert
    alert.note = written
    alert.save(update_fields=["note"])
    _note(alert, EventKind.NOTED, "alerts.note", by, name)
    return alert


@transaction.atomic
def alert_recheck(*, alert_id: UUID, by: Account, name: str = "") -> UUID:
    """Have what raised it look again now. Returns the id of the job.

    Raises NotFound, AlertResolved, AlertNotRecheckable.
    """
    alert = alert_lock(alert_id)
    kind = recheck_kind(alert)
    if kind is None:
        raise AlertNotRecheckable(f"nothing can be run that would look again at {alert.rule}")
    made = kind.enqueue()
    _note(alert, EventKind.RECHECKED, "alerts.recheck", by, name, job=str(made.id), run=kind.name)
    return made.id


@transaction.atomic
def alert_escalate(*, alert_id: UUID, by: Account, name: str = "") -> Alert:
    """Tell the chats of escalation now. Repeat: tells them again.

    Raises NotFound, AlertResolved, NobodyToTell.
    """
    alert = alert_lock(alert_id)
    if not escalation_chats():
        raise NobodyToTell
    escalated_mark([alert], by=who(by, name))
    _audit(by, "alerts.escalate", alert, name)
    return alert


@dataclass(slots=True)
class Acted:
    """How many agreed, and why the others did not."""

    done: int
    refused: dict[UUID, str] = field(default_factory=dict)


def alerts_act(alert_ids: Sequence[UUID], act: Callable[[UUID], object]) -> Acted:
    """Do one thing to many alerts, each in a transaction of its own; one that refuses stops no other."""
    acted = Acted(0)
    for alert_id in sorted(alert_ids):
        try:
            act(alert_id)
            acted.done += 1
        except DomainError as exc:
            acted.refused[alert_id] = exc.message
    return acted


def _note(
    alert: Alert, kind: EventKind, action: str, by: Account, name: str, **details: str
) -> None:
    facts: dict[str, Any] = dict(details)
    line_write(alert, kind, by=who(by, name), **facts)
    _audit(by, action, alert, name, **details)


def _audit(by: Account, action: str, alert: Alert, name: str, **details: str) -> None:
    via = {"name": name} if name else {}
    audit_write(by, action, ALERT, alert.pk, rule=alert.rule, key=alert.key, **via, **details)
