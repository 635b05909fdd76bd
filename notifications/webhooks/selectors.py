"""What pages and the API show: endpoints with how they are, a delivery with its attempts, why it waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from jobs import sql
from lib import clock
from lib.errors import NotFound
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Lane

ATTEMPTS = 100  # of one delivery that are shown
COUNTED = 1000  # waiting deliveries of an endpoint are counted no further


def endpoints_all() -> QuerySet[Endpoint]:
    """All that were not deleted, newest first, with their lanes."""
    return (
        Endpoint.objects.exclude(state=Endpoint.State.DELETED)
        .select_related("lane")
        .order_by("-pk")
    )


def endpoint_get(endpoint_id: UUID) -> Endpoint:
    """One of them. Raises NotFound."""
    found = endpoints_all().filter(pk=endpoint_id).first()
    if found is None:
        raise NotFound(f"there is no webhook endpoint {endpoint_id}")
    return found


def delivery_get(delivery_id: int) -> Delivery:
    """A delivery with its endpoint and event. Raises NotFound."""
    found = (
        Delivery.objects.select_related("endpoint__lane", "event").filter(pk=delivery_id).first()
    )
    if found is None:
        raise NotFound(f"there is no webhook delivery {delivery_id}")
    return found


def attempts_of(delivery_id: int) -> list[Attempt]:
    """The latest attempts of a delivery, newest first."""
    return list(Attempt.objects.filter(delivery_id=delivery_id).order_by("-id")[:ATTEMPTS])


def endpoint_condition(endpoint: Endpoint) -> str:
    """How it is, in a word: ok, new, failing, broken (the breaker is open), paused, disabled."""
    if endpoint.state != Endpoint.State.ENABLED:
        return "disabled"
    lane, now = endpoint.lane, clock.now()
    if lane.open_until and lane.open_until > now:
        return "broken"
    if lane.paused_until and lane.paused_until > now:
        return "paused"
    if lane.failing_since:
        return "failing"
    return "ok" if lane.last_success_at else "new"


def endpoint_explain(endpoint: Endpoint) -> str:
    """How it is, in a sentence or two for a person. No query."""
    condition, lane = endpoint_condition(endpoint), endpoint.lane
    if condition == "disabled":
        reason = Endpoint.Reason(endpoint.disabled_reason).label
        return (
            f"Disabled since {endpoint.disabled_at:%F %R} UTC: {reason}. Nothing is sent; what "
            "waits goes out when it is enabled, and what it misses can be replayed."
        )
    failing = _failing(lane)
    if condition == "broken":
        return (
            f"Down: {lane.failures} requests in a row found it so ({lane.last_error}). "
            f"The next one goes at {lane.open_until:%T} UTC.{failing}"
        )
    if condition == "paused":
        return f"It asked to wait; the next request goes at {lane.paused_until:%F %T} UTC.{failing}"
    if condition == "failing":
        return f"The last request failed: {lane.last_error}.{failing}"
    if condition == "new":
        return "Nothing has been sent yet. Send a test event to see whether it answers."
    return f"Works; the last delivery was at {lane.last_success_at:%F %T} UTC."


def _failing(lane: Lane) -> str:
    if lane.failing_since is None:
        return ""
    end = lane.failing_since + settings.WEBHOOK_PATIENCE
    return (
        f" Nothing has arrived since {lane.failing_since:%F %R} UTC; "
        f"if that goes on, it is disabled at {end:%F %R} UTC."
    )


def delivery_explain(delivery: Delivery) -> str:
    """Why a delivery is where it is, in a sentence or two for a person. No query."""
    state, said = Delivery.State(delivery.state), delivery.last_error
    if state is Delivery.State.DELIVERED:
        return f"Delivered at {delivery.finished_at:%F %T} UTC, answered {delivery.last_status}."
    if state is Delivery.State.FAILED:
        tries = "one try" if delivery.tries == 1 else f"{delivery.tries} tries"
        return f"Given up after {tries}. The last one: {said}. It can be replayed."
    if state is Delivery.State.CANCELLED:
        return "Cancelled by a person. It can be replayed."
    if delivery.endpoint.state != Endpoint.State.ENABLED:
        return "Waits until its endpoint is enabled again."
    return _why_pending(delivery)


def _why_pending(delivery: Delivery) -> str:
    lane, now = delivery.endpoint.lane, clock.now()
    failed = f"Failed {_times(delivery.tries)}; the last time: {delivery.last_error}. "
    failed = failed if delivery.tries else ""
    shut = [moment for moment in (lane.open_until, lane.paused_until) if moment and moment > now]
    due = max([delivery.next_attempt_at, *shut])
    if due <= now:
        return f"{failed}Due since {delivery.next_attempt_at:%F %T} UTC; waits for its turn."
    why = ""
    if shut and max(shut) >= delivery.next_attempt_at:
        is_open = lane.open_until is not None and lane.open_until == max(shut)
        why = "Its endpoint is down. " if is_open else "Its endpoint asked to wait. "
    return f"{failed}{why}The next try is at {due:%F %T} UTC."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for an endpoint (up to COUNTED + 1), and what its last 24 hours came to."""

    waiting: int = 0
    delivered: int = 0
    failed: int = 0
    throttled: int = 0
    mean_ms: int | None = None


def endpoint_counts(endpoint_ids: list[UUID]) -> dict[UUID, Counts]:
    """The numbers of some endpoints. One query on indexes."""
    found = sql.rows(
        """SELECT e.id, w.waiting, t.delivered, t.failed, t.throttled, t.mean_ms
        FROM unnest(%(ids)s::uuid[]) AS e (id)
        CROSS JOIN LATERAL (SELECT count(*) AS waiting FROM (
            SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = 'pending'
            LIMIT %(most)s) q) w
        CROSS JOIN LATERAL (SELECT coalesce(sum(delivered), 0) AS delivered,
            coalesce(sum(failed), 0) AS failed, coalesce(sum(throttled), 0) AS throttled,
            round(sum(duration_ms) / nullif(sum(delivered + failed + throttled), 0)) AS mean_ms
            FROM webhook_tally t WHERE t.endpoint_id = e.id AND t.at >= %(since)s) t""",
        {
            "ids": endpoint_ids,
            "most": COUNTED + 1,
            "since": clock.now() - timedelta(hours=24),
        },
    )
    return {
        row[0]: Counts(
            row[1], int(row[2]), int(row[3]), int(row[4]), None if row[5] is None else int(row[5])
        )
        for row in found
    }


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a chart."""

    at: datetime
    delivered: int
    failed: int
    throttled: int


def history(endpoint_id: UUID | None = None, *, hours: int = 24, bars: int = 48) -> list[Bar]:
    """Attempts of the last hours in even spans, oldest first; of all endpoints if none is given.

    Spans are whole multiples of the five minutes of a tally. One query.
    """
    width = timedelta(hours=hours) / bars
    found = sql.rows(
        """SELECT s.at, coalesce(sum(t.delivered), 0), coalesce(sum(t.failed), 0),
            coalesce(sum(t.throttled), 0)
        FROM generate_series(date_bin(%(width)s, %(now)s, '2000-01-01') - %(rest)s,
            date_bin(%(width)s, %(now)s, '2000-01-01'), %(width)s) AS s (at)
        LEFT JOIN webhook_tally t ON t.at >= s.at AND t.at < s.at + %(width)s
            AND (%(endpoint)s::uuid IS NULL OR t.endpoint_id = %(endpoint)s)
        GROUP BY s.at ORDER BY s.at""",
        {
            "width": width,
            "rest": width * (bars - 1),
            "now": clock.now(),
            "endpoint": endpoint_id,
        },
    )
    return [Bar(row[0], int(row[1]), int(row[2]), int(row[3])) for row in found]
