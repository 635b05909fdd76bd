"""Acting on all deliveries that match a filter: count first (dry run), then in one transaction."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction

from jobs.audit import Account, audit_write
from lib.errors import InputInvalid
from notifications.webhooks.deliveries import deliveries_cancel, deliveries_replay
from notifications.webhooks.listing import DeliveryFilter
from notifications.webhooks.models import Delivery, Endpoint

ACTIONS = {"replay": deliveries_replay, "cancel": deliveries_cancel}
MOST = 10_000  # in one call
SAMPLE = 20
REASONS = 100  # refused deliveries that are named
OFF = "of an endpoint that is switched off"  # beside the states, for what cannot be replayed


@dataclass(slots=True)
class BulkResult:
    """What was done, or in a dry run would be.

    states: how many of the matched are in each state. refused: {id: why}, the first REASONS of them.
    """

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[int]
    dry_run: bool
    more: bool  # more match than one call takes
    refused: dict[int, str] = field(default_factory=dict)


def deliveries_bulk(
    *, where: DeliveryFilter, action: str, by: Account, dry_run: bool = True, limit: int = MOST
) -> BulkResult:
    """Do one action to the newest deliveries that match. One that refuses stops no other.

    Raises InputInvalid for an unknown action or an empty filter. Locks: the rows that are changed.
    """
    if action not in ACTIONS:
        raise InputInvalid(f"action must be one of {', '.join(ACTIONS)}")
    if where == DeliveryFilter():
        raise InputInvalid("a filter must say something; name at least a state or an endpoint")
    limit = max(1, min(limit, MOST))
    rows = where.query().values_list("pk", "state", "endpoint__state")[: limit + 1]
    found = list(rows)
    states = Counter(_state(action, state, endpoint) for _, state, endpoint in found[:limit])
    ids = [delivery_id for delivery_id, _, _ in found[:limit]]
    result = BulkResult(
        action=action,
        matched=len(ids),
        done=0,
        states=dict(states),
        sample=ids[:SAMPLE],
        dry_run=dry_run,
        more=len(found) > limit,
    )
    if dry_run:
        return result
    with transaction.atomic():
        changed = ACTIONS[action](delivery_ids=ids, by=by)
        result.done = len(changed)
        result.refused = _refusals(action, [pk for pk in ids if pk not in changed][:REASONS])
        audit_write(
            by, f"webhooks.bulk_{action}", "webhook deliveries", "matching",
            matched=result.matched, done=result.done, refused=result.matched - result.done,
            filter={
                name: str(value)[:1000]
                for name in DeliveryFilter.__slots__
                if (value := getattr(where, name)) not in (None, "", ())
            },
        )  # fmt: skip
    return result


def _state(action: str, state: str, endpoint: str) -> str:
    is_off = endpoint != Endpoint.State.ENABLED and state != Delivery.State.PENDING
    return OFF if action == "replay" and is_off else state


def _refusals(action: str, ids: list[int]) -> dict[int, str]:
    rows = Delivery.objects.filter(pk__in=ids).values_list("pk", "state", "endpoint__state")
    return {
        delivery_id: "its endpoint is switched off" if found == OFF else f"it is {found}"
        for delivery_id, state, endpoint in rows
        if (found := _state(action, state, endpoint))
    }
