"""One attempt of one job: gates, the call, and what its end means for the row.

`attempt_run` calls the function and gives back an outcome; `attempt_end` turns an outcome into the
change of the row. Both know nothing of threads, leases or pools.
"""

import logging
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from jobs import breakers, errors, rates
from jobs.context import JobContext, enter
from jobs.ending import Ended, outcomes_write
from jobs.ladders import Delays, jittered
from jobs.lease import Lease, progress_write
from jobs.outcomes import Cancel, Dead, Done, Outcome, Retry, Snooze
from jobs.registry import JobKind
from jobs.slots import slot_take
from jobs.specs import MAX_DELAY
from jobs.storable import json_storable, storable
from lib import clock
from lib.context import correlation_id
from lib.logs import log_rows

logger = logging.getLogger("jobs.engine")

MAX_ERROR_CHARS = 8000
SLOT_WAIT = timedelta(seconds=1)
BROKEN_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Broken:
    """The database connection broke while the job ran: a crash, through no fault that we know of."""

    error: str


def gate(lease: Lease, kind: JobKind[Any] | None) -> Outcome | None:
    """Why this job may not start now, as an outcome; None: it may."""
    if kind is None:
        return Dead(f"no job is declared as {lease.kind!r}; it vanished between two deploys")
    if lease.cancel_requested:
        return Cancel("cancelled before it started")
    if lease.deadline is not None and lease.deadline < time.time() + clock.offset().total_seconds():
        return Dead("its deadline passed before it could start")
    if kind.breaker and (wait := breakers.wait_for(kind.breaker)) is not None:
        return Snooze(jittered(wait), f"breaker {kind.breaker} is open")
    if kind.rate and (wait := rates.take(f"kind:{kind.name}", kind.rate)) is not None:
        return Snooze(wait, "rate limit")
    if kind.concurrency and not slot_take(
        f"kind:{kind.name}", kind.concurrency, lease.id, lease.fence
    ):
        return Snooze(jittered(SLOT_WAIT), f"{kind.concurrency} of its kind run already")
    return None


Window = AbstractContextManager[object]


def attempt_run(
    lease: Lease, kind: JobKind[Any], context: JobContext, window: Window
) -> Outcome | Broken:
    """Call the function under its context. Everything raised becomes an outcome.

    window: entered while the function itself runs; interrupts may come only then.
    """
    token = correlation_id.set(lease.correlation_id or lease.id.hex)
    enter(context)
    try:
        args = orjson.loads(lease.args)
        with window:
            result = kind.function(**args)
        if kind.breaker:
            breakers.record_success(kind.breaker)
    except errors.Interrupt as exc:
        return _interrupted(exc, lease, kind)
    except breakers.BreakerOpen as exc:
        return Snooze(jittered(exc.retry_after), str(exc))
    except SystemExit as exc:
        return Retry(f"the job called exit({exc.code})")
    except Exception as exc:  # noqa: BLE001 - whatever a job raises is its failure, not ours
        if (interrupt := _interrupt_behind(exc)) is not None:
            return _interrupted(interrupt, lease, kind)
        if is_broken(exc):
            return database_failed(exc)
        if kind.breaker and getattr(exc, "is_service_failure", False):
            breakers.record_failure(kind.breaker, f"{type(exc).__name__}: {exc}")
        after = getattr(exc, "retry_after", None)
        return Retry(_error(exc), after if isinstance(after, timedelta) else None)
    finally:
        enter(None)
        correlation_id.reset(token)
    return result if isinstance(result, Outcome) else Done(result)


def _interrupted(interrupt: errors.Interrupt, lease: Lease, kind: JobKind[Any]) -> Outcome:
    """What an interrupt means; LeaseLost goes on its way, for there is nothing to write."""
    if isinstance(interrupt, errors.JobTimeout):
        return Retry(f"timed out after {_timeout(lease, kind):g} s")
    if isinstance(interrupt, errors.JobCancelled):
        return Cancel("cancelled while it ran")
    raise interrupt


def _interrupt_behind(exc: BaseException) -> errors.Interrupt | None:
    """The interrupt that an error came of: one amid a statement makes the rollback fail."""
    behind: BaseException | None = exc
    while behind is not None and not isinstance(behind, errors.Interrupt):
        behind = behind.__cause__ or behind.__context__
    return behind


def attempt_run_atomic(
    lease: Lease, kind: JobKind[Any], context: JobContext, window: Window, started: float
) -> Ended:
    """Call the function in a transaction that commits with its outcome or not at all.

    Raises LeaseLost, with nothing written, if the fence has moved on meanwhile.
    """
    with transaction.atomic():
        outcome = attempt_run(lease, kind, context, window)
        end = attempt_end(lease, kind, outcome, context, started)
        if end.name != "completed":
            transaction.set_rollback(True)  # a failed attempt leaves no rows
        else:
            progress_flush(context)
            if not outcomes_write([end]):
                raise errors.LeaseLost
    return end


_writing = threading.Lock()  # an older progress must not come after a newer one


def progress_flush(context: JobContext) -> None:
    """Write the progress and checkpoint of a running job, if there is anything new."""
    with _writing:
        if not context.progress_dirty:
            return
        context.progress_dirty = False
        try:
            progress_write(
                context.id,
                context.fence,
                None if context.progress is None else orjson.dumps(context.progress).decode(),
                None if context.checkpoint is None else orjson.dumps(context.checkpoint).decode(),
            )
        except BaseException:
            context.progress_dirty = True
            raise


def attempt_end(
    lease: Lease,
    kind: JobKind[Any] | None,
    outcome: Outcome | Broken,
    context: JobContext | None,
    started: float,
) -> Ended:
    """What an outcome means for the row."""
    finished = time.time() + clock.offset().total_seconds()
    logs = None
    if context is not None and context.lines:
        logs = orjson.dumps(list(context.lines)).decode()
    if isinstance(outcome, Done):
        try:
            result = None if outcome.result is None else _json(outcome.result)
        except TypeError as exc:
            return Ended(
                lease, "dead", started, finished, f"its result is not JSON: {exc}", logs=logs
            )
        return Ended(lease, "completed", started, finished, result=result, logs=logs)
    if isinstance(outcome, Snooze):
        return Ended(
            lease, "snoozed", started, finished, storable(outcome.reason) or None,
            finished + min(outcome.after, MAX_DELAY).total_seconds(), logs=logs,
        )  # fmt: skip
    if isinstance(outcome, Cancel):
        return Ended(lease, "cancelled", started, finished, storable(outcome.reason), logs=logs)
    error = storable(outcome.error)[:MAX_ERROR_CHARS]
    if isinstance(outcome, Broken):
        return _broken_end(lease, error, started, finished, logs)
    delay = None if isinstance(outcome, Dead) else _delay(lease, kind, outcome)
    if delay is None:
        return Ended(lease, "dead", started, finished, error, logs=logs)
    return Ended(
        lease, "retried", started, finished, error,
        finished + min(delay, MAX_DELAY).total_seconds(), logs=logs,
    )  # fmt: skip


def database_failed(exc: BaseException) -> Retry | Broken:
    """What a database error outside of the function means, at a gate or at the commit of an atomic kind.

    A constraint that is checked at commit is a failure like others. If the connection broke, the
    commit may have gone through all the same; then the outcome is fenced.
    """
    if not is_broken(exc):
        return Retry(_error(exc))
    connection.close()
    return Broken(_error(exc))


def is_broken(exc: BaseException) -> bool:
    """Did the connection of this thread to our database break?"""
    if not isinstance(exc, OperationalError | InterfaceError):
        return False
    state = getattr(exc.__cause__, "sqlstate", None) or ""
    raw = connection.connection
    return state[:2] == "08" or state in {"57P01", "57P02", "57P03"} or raw is None or raw.closed


def _broken_end(
    lease: Lease, error: str, started: float, finished: float, logs: str | None
) -> Ended:
    """Like a crash: no attempt of the ladder is spent, but only so often."""
    crashes = lease.crash_count + 1
    if crashes >= settings.JOBS["max_crashes"]:
        poison = f"poison: the database connection broke {crashes} times while it ran\n{error}"
        return Ended(lease, "dead", started, finished, poison, logs=logs)
    run_at = finished + BROKEN_WAIT_S * crashes
    return Ended(lease, "crashed", started, finished, error, run_at, logs=logs)


def _delay(lease: Lease, kind: JobKind[Any] | None, outcome: Retry) -> timedelta | None:
    """When to try again; None if the ladder is used up."""
    if lease.failures >= lease.max_attempts:
        return None
    if lease.retry_delays is not None:
        ladder = Delays(tuple(lease.retry_delays))
    elif kind is not None:
        ladder = kind.retry
    else:
        ladder = Delays(())
    step = ladder.after(max(1, lease.failures))
    if step is None:
        # max_attempts was raised for this one row: stay on the last rung.
        step = jittered(ladder.steps[-1]) if ladder.steps else timedelta(0)
    return max(outcome.after, timedelta(0)) if outcome.after is not None else step


_LEVELS = {"retried": logging.WARNING, "crashed": logging.WARNING, "dead": logging.ERROR}


def outcomes_log(ended: Sequence[Ended]) -> None:
    """One line per outcome. WARNING will be tried again, ERROR needs a person."""
    log_rows(logger, [_outcome_row(end) for end in ended])


def _outcome_row(end: Ended) -> tuple[int, str, dict[str, Any]]:
    lease = end.lease
    extra = {
        "job_id": lease.id,
        "kind": lease.kind,
        "queue": lease.queue,
        "attempt": lease.attempt,
        "outcome": end.name,
        "duration_ms": round((end.finished - end.started) * 1000, 2),
        "queue_ms": round((end.started - lease.due) * 1000, 2),
        "correlation_id": lease.correlation_id or lease.id.hex,
    }
    if end.error:
        extra["reason"] = end.error.strip().rsplit("\n", 1)[-1][:500]
    return _LEVELS.get(end.name, logging.INFO), f"job {end.name}", extra


def _timeout(lease: Lease, kind: JobKind[Any]) -> float:
    return lease.timeout_s if lease.timeout_s is not None else kind.timeout.total_seconds()


def _error(exc: BaseException) -> str:
    return "".join(traceback.format_exception(exc, limit=-12))[-MAX_ERROR_CHARS:]


def _json(value: Any) -> str:
    return json_storable(value, orjson.OPT_NON_STR_KEYS)
