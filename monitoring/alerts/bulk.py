"""Acting on many alerts: those that were ticked, or all that match a filter, after a look at them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from jobs.audit import Account
from lib import clock
from lib.errors import InputInvalid
from monitoring.alerts.acting import alert_acknowledge, alert_resolve, alerts_act
from monitoring.alerts.selectors import AlertFilter
from monitoring.alerts.silences import alert_silence
from monitoring.alerts.words import state_of

MOST = 2000  # in one call
SAMPLE = 20
REASONS = 100

_HOURS = {"silence_1h": 1, "silence_8h": 8, "silence_24h": 24}
ACTIONS = ("acknowledge", *_HOURS, "resolve")


@dataclass(slots=True)
class BulkResult:
    """What was done, or in a dry run would be. states: how many of the matched are in each state."""

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[UUID]
    dry_run: bool
    more: bool
    refused: dict[UUID, str] = field(default_factory=dict)


def alerts_bulk(
    *,
    where: AlertFilter,
    action: str,
    by: Account,
    dry_run: bool = True,
    note: str = "",
    limit: int = MOST,
) -> BulkResult:
    """Do one of ACTIONS to the newest alerts that match. One that refuses stops no other.

    Raises InputInvalid for an unknown action or an empty filter. Locks: one alert at a time.
    """
    if action not in ACTIONS:
        raise InputInvalid(f"action must be one of {', '.join(ACTIONS)}")
    if where == AlertFilter():
        raise InputInvalid("a filter must say something; name at least a state or a severity")
    limit = max(1, min(limit, MOST))
    found = list(where.query().select_related("parent")[: limit + 1])
    chosen = found[:limit]
    result = BulkResult(
        action=action,
        matched=len(chosen),
        done=0,
        states=dict(Counter(map(state_of, chosen))),
        sample=[alert.pk for alert in chosen[:SAMPLE]],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if not dry_run:
        acted = alerts_act([alert.pk for alert in chosen], _act(action, by, note))
        result.done = acted.done
        result.refused = dict(list(acted.refused.items())[:REASONS])
    return result


def _act(action: str, by: Account, note: str) -> Callable[[UUID], object]:
    if action == "acknowledge":
        return lambda pk: alert_acknowledge(alert_id=pk, by=by)
    if action == "resolve":
        return lambda pk: alert_resolve(alert_id=pk, by=by, note=note)
    until = clock.now() + timedelta(hours=_HOURS[action])
    return lambda pk: alert_silence(alert_id=pk, until=until, by=by)
