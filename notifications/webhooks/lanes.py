"""The SQL of the lanes: taking one, what is due in it, writing what became of it, letting it go.

A lane is held by one attempt of one job (job id and fence). The next attempt of the same job takes
over at once what a killed one held; others wait for held_until. Fates are written only for lanes that
are still held, so that a run which lost one changes no delivery any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.functional import cached_property

from jobs import sql
from lib import clock
from notifications.webhooks.flow import Config, Due, Fate, Flow, Standing
from notifications.webhooks.sealing import unseal

LEASE = timedelta(seconds=20)  # renewed each second

_COLUMNS = (
    """e.id, e.url, e.secret, e.old_secret, e.rate_per_minute, e.max_in_flight, e.timeout_s"""
)
_STANDING = """l.failures, l.open_until, l.paused_until, l.next_send_at, l.failing_since, l.warned,
    l.last_success_at, l.last_failure_at, l.last_error"""
_ALIVE = "CASE WHEN e.old_secret_expires_at > %(now)s THEN e.old_secret END"

_TAKE = f"""
WITH free AS (
    SELECT l.endpoint_id FROM webhook_lane l JOIN webhook_endpoint e ON e.id = l.endpoint_id
    WHERE e.state = 'enabled'
        AND (l.held_until IS NULL OR l.held_until < clock_timestamp()
            OR l.job_id = %(job)s AND l.fence < %(fence)s)
        AND (l.open_until IS NULL OR l.open_until <= %(now)s)
        AND (l.paused_until IS NULL OR l.paused_until <= %(now)s)
        AND EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id
            AND d.state = 'pending' AND d.next_attempt_at <= %(now)s)
    ORDER BY l.held_until NULLS FIRST, e.id LIMIT %(limit)s FOR NO KEY UPDATE OF l SKIP LOCKED
)
UPDATE webhook_lane l SET job_id = %(job)s, fence = %(fence)s,
    held_until = clock_timestamp() + %(lease)s
FROM free f JOIN webhook_endpoint e ON e.id = f.endpoint_id WHERE l.endpoint_id = f.endpoint_id
RETURNING {_COLUMNS.replace("e.old_secret", _ALIVE)}, {_STANDING}
"""
_RENEW = f"""
UPDATE webhook_lane l SET held_until = clock_timestamp() + %(lease)s
FROM webhook_endpoint e
WHERE l.endpoint_id = e.id AND l.job_id = %(job)s AND l.fence = %(fence)s
    AND l.held_until IS NOT NULL
RETURNING {_COLUMNS.replace("e.old_secret", _ALIVE)}, e.state = 'enabled'
"""
_DUE = """
SELECT w.endpoint_id, d.id, d.event_id, v.body, d.tries, d.attempts
FROM unnest(%(endpoints)s::uuid[], %(limits)s::int[]) AS w (endpoint_id, most)
CROSS JOIN LATERAL (
    SELECT id, event_id, tries, attempts FROM webhook_delivery
    WHERE endpoint_id = w.endpoint_id AND state = 'pending' AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at, id LIMIT w.most
) d JOIN webhook_event v ON v.id = d.event_id
WHERE d.id <> ALL (%(known)s)
"""
_FATES = """
WITH fate AS (
    SELECT * FROM unnest(%(deliveries)s::bigint[], %(endpoints)s::uuid[], %(outcomes)s::text[],
        %(states)s::text[], %(spent)s::int[], %(next)s::timestamptz[], %(numbers)s::int[],
        %(at)s::timestamptz[], %(durations)s::int[], %(statuses)s::int[], %(errors)s::text[],
        %(urls)s::text[], %(types)s::text[], %(bodies)s::text[])
    AS f (id, endpoint_id, outcome, state, spent, next_at, number, at, duration_ms, status, error,
        url, response_type, response_body)
), held AS (
    SELECT endpoint_id FROM webhook_lane
    WHERE endpoint_id = ANY (%(endpoints)s) AND job_id = %(job)s AND fence = %(fence)s
    ORDER BY endpoint_id FOR NO KEY UPDATE
), there AS (
    -- In the order of all who lock several, so that none waits for another in a ring; what is being
    -- deleted just now is not there any more.
    SELECT id FROM webhook_delivery WHERE id = ANY (%(deliveries)s) ORDER BY id FOR NO KEY UPDATE
), changed AS (
    UPDATE webhook_delivery d SET state = f.state, tries = d.tries + f.spent,
        attempts = greatest(d.attempts, f.number), next_attempt_at = f.next_at,
        last_attempt_at = f.at, last_status = f.status, last_error = f.error,
        finished_at = CASE WHEN f.state = 'pending' THEN NULL ELSE %(now)s::timestamptz END
    FROM fate f JOIN held h ON h.endpoint_id = f.endpoint_id JOIN there t ON t.id = f.id
    WHERE d.id = f.id AND d.state = 'pending' RETURNING d.id
), logged AS (
    INSERT INTO webhook_attempt (delivery_id, endpoint_id, number, at, duration_ms, outcome, status,
        error, url, response_type, response_body)
    SELECT f.id, f.endpoint_id, f.number, f.at, f.duration_ms, f.outcome, f.status, f.error, f.url,
        f.response_type, f.response_body
    FROM fate f JOIN there t ON t.id = f.id ORDER BY f.at
), tallied AS (
    INSERT INTO webhook_tally AS t (endpoint_id, at, delivered, failed, throttled, duration_ms)
    SELECT endpoint_id, date_bin('5 minutes', at, '2000-01-01'),
        count(*) FILTER (WHERE outcome = 'delivered'), count(*) FILTER (WHERE outcome = 'failed'),
        count(*) FILTER (WHERE outcome = 'throttled'), sum(duration_ms)
    FROM fate GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (endpoint_id, at) DO UPDATE SET delivered = t.delivered + EXCLUDED.delivered,
        failed = t.failed + EXCLUDED.failed, throttled = t.throttled + EXCLUDED.throttled,
        duration_ms = t.duration_ms + EXCLUDED.duration_ms
)
SELECT id FROM changed
"""
_STAND = """
UPDATE webhook_lane l SET failures = s.failures, open_until = s.open_until,
    paused_until = s.paused_until, next_send_at = s.next_send_at, failing_since = s.failing_since,
    warned = s.warned, last_success_at = s.last_success_at, last_failure_at = s.last_failure_at,
    last_error = s.last_error
FROM unnest(%(endpoints)s::uuid[], %(failures)s::int[], %(open)s::timestamptz[],
    %(paused)s::timestamptz[], %(next)s::timestamptz[], %(failing)s::timestamptz[],
    %(warned)s::int[], %(success)s::timestamptz[], %(failure)s::timestamptz[], %(errors)s::text[])
AS s (endpoint_id, failures, open_until, paused_until, next_send_at, failing_since, warned,
    last_success_at, last_failure_at, last_error)
WHERE l.endpoint_id = s.endpoint_id AND l.job_id = %(job)s AND l.fence = %(fence)s
RETURNING l.endpoint_id
"""
_FREE = """
UPDATE webhook_lane SET job_id = NULL, held_until = NULL
WHERE endpoint_id = ANY (%(endpoints)s) AND job_id = %(job)s AND fence = %(fence)s
"""
_NEXT = """
SELECT min(greatest(d.next_attempt_at, l.open_until, l.paused_until,
    CASE WHEN l.held_until > clock_timestamp() THEN %(now)s::timestamptz + %(held)s END))
FROM webhook_endpoint e JOIN webhook_lane l ON l.endpoint_id = e.id
CROSS JOIN LATERAL (
    SELECT next_attempt_at FROM webhook_delivery
    WHERE endpoint_id = e.id AND state = 'pending' ORDER BY next_attempt_at, id LIMIT 1
) d WHERE e.state = 'enabled'
"""
_HELD_AGAIN = timedelta(seconds=2)  # when to look again for a lane that somebody else holds


@dataclass(frozen=True)
class Holder:
    """Who holds lanes: one attempt of one job."""

    job_id: UUID
    fence: int

    @cached_property
    def params(self) -> dict[str, object]:
        return {"job": self.job_id, "fence": self.fence, "lease": LEASE}


def lanes_take(holder: Holder, *, limit: int) -> list[Flow]:
    """Take up to `limit` free lanes in which something is due."""
    found = sql.rows(_TAKE, {**holder.params, "now": clock.now(), "limit": limit})
    return [Flow(_config(row), Standing(*row[7:])) for row in found]


def lanes_renew(holder: Holder) -> dict[UUID, Config | None]:
    """Keep what is held, and read what people have set since. None: switched off by now.

    A lane that is missing is no longer ours.
    """
    found = sql.rows(_RENEW, {**holder.params, "now": clock.now()})
    return {row[0]: _config(row) if row[7] else None for row in found}


def lanes_free(holder: Holder, endpoint_ids: Sequence[UUID]) -> None:
    """Let lanes go; others may take them at once."""
    sql.run(_FREE, {**holder.params, "endpoints": list(endpoint_ids)})


def deliveries_due(wants: Sequence[tuple[Flow, int]]) -> dict[UUID, list[Due]]:
    """For each lane up to so many due deliveries that it does not know yet, oldest first."""
    known = [delivery_id for flow, _ in wants for delivery_id in flow.known()]
    found = sql.rows(
        _DUE,
        {
            "endpoints": [flow.config.endpoint_id for flow, _ in wants],
            # What is known stands first in the row of what is due.
            "limits": [most + sum(1 for _ in flow.known()) for flow, most in wants],
            "known": known,
            "now": clock.now(),
        },
    )
    due: dict[UUID, list[Due]] = {flow.config.endpoint_id: [] for flow, _ in wants}
    for endpoint_id, *row in found:
        due[endpoint_id].append(Due(*row))
    return due


def fates_write(
    holder: Holder, fates: Sequence[Fate], flows: Iterable[Flow]
) -> tuple[set[int], set[UUID]]:
    """Write attempts with what they mean; in a transaction.

    Returns the deliveries that changed, and the endpoints whose lane is still held. An attempt is
    logged in any case; a delivery changes only if its lane is still held and it is still pending.
    """
    changed = sql.rows(
        _FATES,
        {
            **holder.params,
            "now": clock.now(),
            "deliveries": [fate.delivery_id for fate in fates],
            "endpoints": [fate.endpoint_id for fate in fates],
            "outcomes": [fate.outcome for fate in fates],
            "states": [fate.state for fate in fates],
            "spent": [fate.spent for fate in fates],
            "next": [fate.next_attempt_at for fate in fates],
            "numbers": [fate.number for fate in fates],
            "at": [fate.at for fate in fates],
            "durations": [fate.duration_ms for fate in fates],
            "statuses": [fate.status for fate in fates],
            "errors": [fate.error for fate in fates],
            "urls": [fate.url for fate in fates],
            "types": [fate.response_type for fate in fates],
            "bodies": [fate.response_body for fate in fates],
        },
    )
    standings = [(flow.config.endpoint_id, flow.standing) for flow in flows]
    stood = sql.rows(
        _STAND,
        {
            **holder.params,
            "endpoints": [endpoint_id for endpoint_id, _ in standings],
            "failures": [standing.failures for _, standing in standings],
            "open": [standing.open_until for _, standing in standings],
            "paused": [standing.paused_until for _, standing in standings],
            "next": [standing.next_send_at for _, standing in standings],
            "failing": [standing.failing_since for _, standing in standings],
            "warned": [standing.warned for _, standing in standings],
            "success": [standing.last_success_at for _, standing in standings],
            "failure": [standing.last_failure_at for _, standing in standings],
            "errors": [standing.last_error for _, standing in standings],
        },
    )
    return {row[0] for row in changed}, {row[0] for row in stood}


def next_due_at() -> datetime | None:
    """When something can be sent next, if anything waits."""
    found = sql.row(_NEXT, {"now": clock.now(), "held": _HELD_AGAIN})
    return found[0] if found else None


def _config(row: tuple[object, ...]) -> Config:
    endpoint_id, url, secret, old_secret, rate, most, timeout_s = row[:7]
    sealed = [str(each) for each in (secret, old_secret) if each]
    secrets = tuple(text for each in sealed if (text := unseal(each)))
    return Config(endpoint_id, url, secrets, rate, most, timeout_s)  # type: ignore[arg-type]
