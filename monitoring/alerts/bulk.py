"""Acting on many alerts: those that were ticked, or all that match a filter, after a look at them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from jobs.audit import Account
from jobs.chosen import BulkResult, action_check, rows_choose
from lib import clock
from lib.errors import InputInvalid
from monitoring.alerts.acting import alert_acknowledge, alert_resolve, alerts_act
from monitoring.alerts.models import Alert
from monitoring.alerts.selectors import AlertFilter
from monitoring.alerts.silences import alert_silence
from monitoring.alerts.words import state_of

MOST = 2000  # in one call

_HOURS = {"silence_1h": 1, "silence_8h": 8, "silence_24h": 24}
ACTIONS = ("acknowledge", *_HOURS, "resolve")


def alerts_bulk(
    *,
    where: AlertFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    note: str = "",
    limit: int = MOST,
) -> BulkResult[UUID]:
    """Do one of ACTIONS to the newest alerts that match. One that refuses stops no other.

    Raises InputInvalid for an unknown action or an empty filter. Locks: one alert at a time.
    """
    action_check(action, ACTIONS)
    if where == AlertFilter():
        raise InputInvalid("a filter must say something; name at least a state or a severity")
    chosen, result = rows_choose(
        where.query().select_related("parent"),
        action=action, limit=limit, most=MOST, dry_run=dry_run, key=_key, state=state_of,
    )  # fmt: skip
    if not dry_run:
        acted = alerts_act([alert.pk for alert in chosen], _act(action, by, note))
        result.done = acted.done
        result.refuse(acted.refused)
    return result


def _key(alert: Alert) -> UUID:
    return alert.pk


def _act(action: str, by: Account, note: str) -> Callable[[UUID], object]:
    if action == "acknowledge":
        return lambda pk: alert_acknowledge(alert_id=pk, by=by)
    if action == "resolve":
        return lambda pk: alert_resolve(alert_id=pk, by=by, note=note)
    until = clock.now() + timedelta(hours=_HOURS[action])
    return lambda pk: alert_silence(alert_id=pk, until=until, by=by)
