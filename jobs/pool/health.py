"""Whether a pool still works: what the health check of a worker's container asks.

The watchdog heals a pool within seconds, without anybody's help. This sees what it cannot heal: itself
stuck, or workers that take no tickets however often they are started anew. Nobody else is asked: while
the database is away the pool waits for it, and a restart would help nobody.
"""

from jobs.pool.memory import RUN, PoolMemory

START_S = 60.0  # a pool may need so long for its first ticket
SPARE_S = 30.0  # besides the patience of the watchdog: it shall have had its chance


def pool_ails(
    pool: PoolMemory, *, now: float, started_at: float, round_at: float, patience_s: float
) -> str | None:
    """What is wrong with it in words; None if it works, starts or stops.

    Times are of time.monotonic(): now, the start of this process, the last round of its watchdog.
    patience_s: how long the watchdog lets a process be silent (JOB_WATCHDOG).
    """
    limit_s = patience_s + SPARE_S
    if pool.order != RUN:
        return None  # it stops, and takes no tickets for that reason
    if now - round_at > limit_s:
        return "its watchdog does not go round"
    if now - started_at < START_S:
        return None
    live = [slot for _, slot in pool.slots() if slot.pid]
    if any(slot.busy and now - slot.beat < limit_s for slot in live):
        return None
    # The pusher hands out a ticket every five seconds, if only as a probe.
    newest = max((slot.ticket_at for _, slot in pool.slots()), default=0.0)
    return None if now - newest < START_S + limit_s else "its workers take no tickets"


def workers_of(pool: PoolMemory) -> int:
    """How many worker processes it has."""
    return sum(1 for _, slot in pool.slots() if slot.pid)
