"""Deliveries: sent again, one or all since a time; taken back while they wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from lib.errors import DomainError, InputInvalid, NotFound
from notifications.webhooks.errors import (
    DeliveryNotPending,
    DeliveryPending,
    EndpointDisabled,
)
from notifications.webhooks.escalation import ENDPOINT
from notifications.webhooks.models import Delivery, Endpoint
from notifications.webhooks.tasks import replay
from notifications.webhooks.waking import wake

DELIVERY = "webhook delivery"  # what the audit log calls it
COUNTED = 10_000  # a count of what a replay would touch goes no further


class Which(StrEnum):
    """What of a span of time is replayed."""

    FAILED = "failed"  # what was given up
    ALL = "all"  # everything that has ended, also what was delivered
    MISSING = "missing"  # events of types it wants that it was never told: it was off or not there


def delivery_replay(*, delivery_id: int, by: Account) -> None:
    """Send it again, with all tries anew and the same webhook-id and body.

    Raises NotFound, DeliveryPending, EndpointDisabled.
    """
    if not deliveries_replay(delivery_ids=[delivery_id], by=by):
        raise _refusal(delivery_id)


def deliveries_replay(*, delivery_ids: Sequence[int], by: Account) -> set[int]:
    """Send those of them again that have ended and whose endpoint is on. Returns their ids."""
    return _change(
        """UPDATE webhook_delivery d SET state = 'pending', tries = 0, finished_at = NULL,
        next_attempt_at = %(now)s, replays = d.replays + 1""",
        "d.state <> 'pending' AND e.state = 'enabled'",
        delivery_ids,
        "webhooks.replay",
        by,
    )


def delivery_cancel(*, delivery_id: int, by: Account) -> None:
    """Do not try it again. A request that is on its way just now may still arrive.

    Raises NotFound, DeliveryNotPending.
    """
    if not deliveries_cancel(delivery_ids=[delivery_id], by=by):
        row = _get(delivery_id)
        raise DeliveryNotPending(f"delivery {delivery_id} is {row.state}")


def deliveries_cancel(*, delivery_ids: Sequence[int], by: Account) -> set[int]:
    """Do not try those of them again that are pending. Returns their ids."""
    return _change(
        "UPDATE webhook_delivery d SET state = 'cancelled', finished_at = %(now)s",
        "d.state = 'pending'",
        delivery_ids,
        "webhooks.cancel",
        by,
    )


def _change(
    change: str, condition: str, delivery_ids: Sequence[int], action: str, by: Account
) -> set[int]:
    """Change rows in the order of their ids, so that two callers never wait for each other."""
    with transaction.atomic():
        found = sql.rows(
            f"""WITH chosen AS (
                SELECT d.id FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
                WHERE d.id = ANY (%(ids)s) AND {condition} ORDER BY d.id FOR NO KEY UPDATE OF d
            ) {change} FROM chosen c WHERE d.id = c.id RETURNING d.id""",
            {"ids": list(delivery_ids), "now": clock.now()},
        )
        changed = {row[0] for row in found}
        for delivery_id in sorted(changed):
            audit_write(by, action, DELIVERY, delivery_id)
        if changed:
            wake()
    return changed


def _get(delivery_id: int) -> Delivery:
    row = Delivery.objects.select_related("endpoint").filter(pk=delivery_id).first()
    if row is None:
        raise NotFound(f"there is no webhook delivery {delivery_id}")
    return row


def _refusal(delivery_id: int) -> DomainError:
    row = _get(delivery_id)
    if row.state == Delivery.State.PENDING:
        return DeliveryPending(f"delivery {delivery_id} is on its way already")
    return EndpointDisabled(f"{row.endpoint.title} is switched off; enable it first")


@dataclass(frozen=True, slots=True)
class Span:
    """What a replay is about: one endpoint and the events made in [since, until)."""

    endpoint_id: UUID
    since: datetime
    until: datetime
    which: Which


def span_make(*, endpoint_id: UUID, since: datetime, until: datetime | None, which: Which) -> Span:
    """Check the span. until: now if not given. Raises NotFound, InputInvalid."""
    known = Endpoint.objects.exclude(state=Endpoint.State.DELETED)
    if not known.filter(pk=endpoint_id).exists():
        raise NotFound(f"there is no webhook endpoint {endpoint_id}")
    until = min(until or clock.now(), clock.now())
    if since >= until:
        raise InputInvalid("since must be earlier than until, and in the past")
    return Span(endpoint_id, since, until, which)


def span_count(span: Span) -> int:
    """How many deliveries a replay would send, counted up to COUNTED + 1. One query."""
    source = (
        """SELECT FROM webhook_event v JOIN webhook_endpoint e ON e.id = %(endpoint)s
        WHERE v.created_at >= %(since)s AND v.created_at < %(until)s
            AND e.event_types && ARRAY[v.type, '*']::varchar[] AND v.type <> 'webhook.test'
            AND NOT EXISTS (SELECT FROM webhook_delivery d
                WHERE d.event_id = v.id AND d.endpoint_id = e.id)"""
        if span.which is Which.MISSING
        else """SELECT FROM webhook_delivery WHERE endpoint_id = %(endpoint)s
            AND created_at >= %(since)s AND created_at < %(until)s AND state = ANY (%(states)s)"""
    )
    found = sql.row(
        f"SELECT count(*) FROM ({source} LIMIT %(most)s) q",
        {
            "endpoint": span.endpoint_id,
            "since": span.since,
            "until": span.until,
            "states": states_of(span.which),
            "most": COUNTED + 1,
        },
    )
    return int(found[0]) if found else 0


def states_of(which: Which) -> list[str]:
    """The states of deliveries that a replay takes."""
    if which is Which.FAILED:
        return [Delivery.State.FAILED.value]
    return [each.value for each in Delivery.State if each is not Delivery.State.PENDING]


def deliveries_replay_since(*, span: Span, by: Account) -> UUID:
    """Send a whole span again, in a job that goes through it in batches. Returns the job's id.

    Raises EndpointDisabled. Repeat: what waits again already is left as it is.
    """
    with transaction.atomic():
        endpoint = Endpoint.objects.get(pk=span.endpoint_id)
        if endpoint.state != Endpoint.State.ENABLED:
            raise EndpointDisabled(f"{endpoint.title} is switched off; enable it first")
        job = replay.enqueue(
            endpoint_id=span.endpoint_id,
            since=span.since.isoformat(),
            until=span.until.isoformat(),
            which=span.which.value,
        )
        audit_write(
            by, "webhooks.replay_since", ENDPOINT, endpoint.pk, since=span.since.isoformat(),
            until=span.until.isoformat(), which=span.which.value, job=str(job.id),
        )  # fmt: skip
    return job.id
