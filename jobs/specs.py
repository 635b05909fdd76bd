"""A job that is about to be enqueued: options checked, args turned into JSON, keys written out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from jobs import errors
from jobs.ladders import Delays
from jobs.models import Priority
from jobs.registry import RESERVED, Debounce, JobKind
from jobs.storable import holds_nul, is_storable
from lib import clock, durations
from lib.ids import uuid7

MAX_DELAY = timedelta(days=3660)


@dataclass(slots=True)
class JobSpec:
    """Everything of a row that is decided before it is inserted."""

    kind: str
    queue: str
    priority: int
    args: bytes  # JSON
    run_at: datetime
    max_attempts: int
    id: UUID
    created_at: datetime
    partition_key: str | None = None
    skip_ahead: bool = False
    unique_key: str | None = None
    unique_ttl: timedelta | None = None
    debounce_key: str | None = None
    debounce: Debounce | None = None
    deadline_at: datetime | None = None
    timeout_s: float | None = None
    retry_delays: list[float] | None = None
    batch_id: UUID | None = None
    replay_of: UUID | None = None
    correlation_id: str | None = None
    coalesce: bool = False
    # Known only when the row is inserted:
    blocked: bool = False
    debounced: int = 0

    @property
    def state(self) -> str:
        """Scheduled if its time lies ahead of its creation, else available."""
        return "scheduled" if self.run_at > self.created_at else "available"


def spec_build(kind: JobKind[Any], given: Mapping[str, Any]) -> JobSpec:
    """Split args from options (jobs.registry.RESERVED) and check both.

    Raises ArgsInvalid, ArgsTooLarge, EnqueueInvalid.
    """
    args = {name: value for name, value in given.items() if name not in RESERVED}
    options = {name: value for name, value in given.items() if name in RESERVED}
    kind.check(args)
    now = clock.now()
    spec = JobSpec(
        kind=kind.name,
        queue=options.get("queue") or kind.queue,
        priority=_priority(options.get("priority", kind.priority)),
        args=args_dump(args),
        run_at=_run_at(options, now),
        max_attempts=kind.retry.attempts,
        id=uuid7(),
        created_at=now,
        skip_ahead=kind.skip_ahead,
        partition_key=_key("partition", options.get("partition"), 160),
        unique_key=_key("unique", options.get("unique"), 200, prefix=kind.name),
        batch_id=_batch(options.get("batch")),
        correlation_id=_key("correlation_id", options.get("correlation_id") or None, 64),
    )
    if (ttl := options.get("unique_ttl")) is not None:
        if spec.unique_key is None:
            raise errors.EnqueueInvalid("unique_ttl needs unique")
        spec.unique_ttl = _span("unique_ttl", ttl)
    if (debounce := options.get("debounce")) is not None:
        _debounce(spec, debounce, args, now)
    if kind.single:
        if spec.batch_id:
            raise errors.EnqueueInvalid("a single kind goes into no batch")
        spec.coalesce, spec.debounce, spec.unique_key = True, None, None
        spec.debounce_key = spec.partition_key = kind.name
    if (deadline := options.get("deadline")) is not None:
        spec.deadline_at = (
            _moment("deadline", deadline)
            if isinstance(deadline, datetime)
            else now + _span("deadline", deadline)
        )
    if (timeout := options.get("timeout")) is not None:
        spec.timeout_s = _span("timeout", timeout).total_seconds()
        if not 0 < spec.timeout_s <= 86400:
            raise errors.EnqueueInvalid("timeout must be more than 0 and at most one day")
    if (retry := options.get("retry")) is not None:
        _ladder(spec, retry)
    return spec


def args_dump(args: Mapping[str, Any]) -> bytes:
    """The args as JSON. Raises ArgsInvalid for what JSON or Postgres cannot hold, ArgsTooLarge."""
    try:
        dumped = orjson.dumps(args)
    except TypeError as exc:
        raise errors.ArgsInvalid(f"args are not JSON: {exc}") from None
    if len(dumped) > settings.JOBS["max_args_bytes"]:
        raise errors.ArgsTooLarge(
            f"args are {len(dumped)} bytes; at most {settings.JOBS['max_args_bytes']} are taken"
        )
    if holds_nul(dumped):
        raise errors.ArgsInvalid("args hold a NUL character, which Postgres cannot store")
    return dumped


def _priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in set(Priority):
        raise errors.EnqueueInvalid("priority must be 0 (critical), 1, 2 or 3 (low)")
    return int(value)


def _run_at(options: Mapping[str, Any], now: datetime) -> datetime:
    run_at, delay = options.get("run_at"), options.get("delay")
    if run_at is not None and delay is not None:
        raise errors.EnqueueInvalid("give run_at or delay, not both")
    if delay is not None:
        return now + _span("delay", delay)
    return now if run_at is None else _moment("run_at", run_at)


def _moment(name: str, value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise errors.EnqueueInvalid(f"{name} must be a moment with a time zone")
    return value


def _span(name: str, value: Any) -> timedelta:
    try:
        span = durations.parse(value)
    except durations.DurationInvalid as exc:
        raise errors.EnqueueInvalid(f"{name}: {exc}") from None
    if span > MAX_DELAY:
        raise errors.EnqueueInvalid(f"{name} must be at most ten years")
    return span


def _batch(value: Any) -> UUID | None:
    try:
        return value if value is None or isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise errors.EnqueueInvalid("batch must be the id of a batch") from None


def _key(name: str, value: Any, longest: int, prefix: str = "") -> str | None:
    """A key from a text or a tuple: ("telegram", 7) is "telegram:7"."""
    if value is None or (value is False and prefix):
        return None
    if value is True and prefix:
        return prefix
    if isinstance(value, bool | dict):
        raise errors.EnqueueInvalid(f"{name} must be a text, a number or a list of them")
    text = ":".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    if not text or len(text) > longest or not is_storable(text):
        raise errors.EnqueueInvalid(f"{name} must have 1 to {longest} characters")
    return text


def _debounce(spec: JobSpec, debounce: Any, args: Mapping[str, Any], now: datetime) -> None:
    key: Any = f"{spec.kind}:{orjson.dumps(args, option=orjson.OPT_SORT_KEYS).decode()}"
    if isinstance(debounce, tuple) and len(debounce) == 2 and isinstance(debounce[1], Debounce):
        key, debounce = debounce
        key = f"{spec.kind}:{_key('debounce', key, 200)}"
    if not isinstance(debounce, Debounce):
        raise errors.EnqueueInvalid('debounce must be Debounce("30s") or (key, Debounce("30s"))')
    if spec.unique_key or spec.partition_key or spec.batch_id:
        raise errors.EnqueueInvalid("debounce goes with neither unique, partition nor batch")
    spec.debounce_key = _key("debounce", key, 200)
    spec.debounce = debounce
    spec.run_at = now + _span("debounce", debounce.window)


def _ladder(spec: JobSpec, retry: Any) -> None:
    try:
        ladder = retry if isinstance(retry, Delays) else Delays(retry)
    except (durations.DurationInvalid, TypeError) as exc:
        raise errors.EnqueueInvalid(f"retry: {exc}") from None
    if len(ladder.steps) > 100:
        raise errors.EnqueueInvalid("retry: at most 100 delays")
    spec.retry_delays = [_span("retry", step).total_seconds() for step in ladder.steps]
    spec.max_attempts = ladder.attempts
