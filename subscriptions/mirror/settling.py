"""Settling drift: a person says whose word counts. What needs the panel is done by a job."""

from typing import Any

from django.db import transaction

from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import DomainError, InputInvalid, NotFound
from subscriptions.mirror import drifts
from subscriptions.mirror.identity import bind
from subscriptions.mirror.owners import BY_NAME
from subscriptions.mirror.rows import rows_update
from subscriptions.models import Drift
from subscriptions.panel.client import PanelClient
from subscriptions.panel.stored import panel_release
from subscriptions.panel.types import UserFields
from subscriptions.story import event_write

HOW = (drifts.THEIRS, drifts.OURS, drifts.IGNORED)
PUSHED = frozenset({"telegram_id", "email"})  # what the panel can be told; its links are its own


class DriftUnknown(NotFound):
    """There is no such difference."""

    code = "drift_unknown"


class DriftSettled(DomainError):
    """The difference is settled already."""

    code = "drift_settled"


class DriftNotSo(InputInvalid):
    """This difference cannot be settled that way."""

    code = "drift_not_so"


@transaction.atomic
def drift_settle(*, drift_id: int, how: str, by: Account) -> bool:
    """Settle a difference: theirs, ours or ignored. False: the panel has to be asked or told first,
    and the caller enqueues subscriptions.settle_drift, which ends in drift_push.

    Audited. Raises DriftUnknown, DriftSettled, DriftNotSo. Locks: the drift.
    """
    drift = _open(drift_id)
    if how not in HOW:
        raise DriftNotSo(f"how must be one of {', '.join(HOW)}")
    if drift.field not in PUSHED and drift.field != drifts.IDENTITY and how == drifts.OURS:
        raise DriftNotSo(f"the panel cannot be told the {drift.field.replace('_', ' ')}")
    audit_write(by, "drift.settle", "drift", drift_id, how=how, field=drift.field)
    if how == drifts.THEIRS and drift.field == drifts.IDENTITY:
        return False
    if how == drifts.OURS and drift.field in PUSHED:
        return False
    if how == drifts.THEIRS:
        column = {drift.field: _as_column(drift.field, drift.theirs)}
        rows_update([{"id": drift.subscriber_id, **column}], clock.now())
    _close(drift, how, by)
    return True


def drift_push(client: PanelClient, *, drift_id: int, how: str, by: Account) -> bool:
    """Carry out at the panel what was decided. False: it was settled meanwhile, or is not possible.

    Repeat: safe. Raises PanelError.
    """
    drift = Drift.objects.select_related("subscriber").filter(pk=drift_id).first()
    if drift is None or drift.resolved_at is not None:
        return False
    if drift.field == drifts.IDENTITY:
        theirs = drift.theirs or {}
        user = client.user(int(theirs["panel_id"]))
        if user.username != theirs["username"]:
            return False
        return bind(drift.subscriber_id, user, by=_name(by))
    if drift.subscriber.panel_id is None:
        return False
    fields: UserFields = {}
    if drift.field == "telegram_id":
        fields["telegram_id"] = drift.subscriber.telegram_id
    else:
        fields["email"] = drift.subscriber.email or None
    client.user_update(drift.subscriber.panel_id, **fields)
    with transaction.atomic():
        again = Drift.objects.select_for_update(no_key=True).get(pk=drift_id)
        if again.resolved_at is None:
            _close(again, how, by)
    return True


@transaction.atomic
def hold_release(*, by: Account, reason: str = "") -> bool:
    """Let writes to the panel go on although it differs: a person has looked. False: nothing was held.

    Audited. What differs again holds them again. Repeat: nothing.
    """
    released = panel_release(by=_name(by))
    if released:
        audit_write(by, "panel.release", "panel", "1", reason=reason[:200])
    return released


def _open(drift_id: int) -> Drift:
    drift = Drift.objects.select_for_update(no_key=True).filter(pk=drift_id).first()
    if drift is None:
        raise DriftUnknown
    if drift.resolved_at is not None:
        raise DriftSettled
    return drift


def _close(drift: Drift, how: str, by: Account) -> None:
    drift.resolved_at, drift.resolution, drift.resolved_by = clock.now(), how, _name(by)
    drift.save(update_fields=["resolved_at", "resolution", "resolved_by"])
    told = {"field": drift.field.replace("_", " "), "how": how}
    event_write(drift.subscriber_id, "drift_settled", "staff", data=told, by=by)


def _as_column(field: str, value: Any) -> Any:
    """JSON null of a text column is an empty text."""
    return "" if value is None and BY_NAME[field].sql_type == "text" else value


def _name(by: Account) -> str:
    return by.get_username()[:150] if by is not None else "system"
