"""Declaring jobs: `@job("telegram.deliver", queue="notifications", retry=Delays("30s 1m"))`.

A kind is stored in rows, so it is never renamed. Its args are checked against the signature of the
function when a job is enqueued; they are JSON, and hold ids rather than rows or secrets.
"""

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, ParamSpec
from uuid import UUID

from jobs import errors
from jobs.annotations import fits, hint_say
from jobs.ladders import NEVER, Delays
from jobs.models import Priority
from lib import durations

P = ParamSpec("P")

DEFAULT_TIMEOUT = "60s"


@dataclass(frozen=True, slots=True)
class Debounce:
    """Trailing debounce: the latest call within `window` wins, but none waits beyond `max_wait`."""

    window: timedelta
    max_wait: timedelta | None

    def __init__(
        self, window: durations.Duration, max_wait: durations.Duration | None = None
    ) -> None:
        object.__setattr__(self, "window", durations.parse(window))
        object.__setattr__(
            self, "max_wait", None if max_wait is None else durations.parse(max_wait)
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` jobs per `per` over all workers, and `burst` (default: count) at once after a rest.

    In any window of length w at most burst + count * w / per start: with burst=1 they are evenly spaced,
    and no window of `per` holds more than count + 1.
    """

    count: int
    per: timedelta
    burst: int

    def __init__(
        self, count: int, per: durations.Duration = "1s", burst: int | None = None
    ) -> None:
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "per", durations.parse(per))
        object.__setattr__(self, "burst", burst or count)


@dataclass(frozen=True, slots=True)
class Periodic:
    """When a kind runs by itself: an interval or a cron expression (5 fields, or 6, seconds first)."""

    every: timedelta | None
    cron: str
    jitter: timedelta
    immediate: bool


@dataclass(frozen=True, eq=False)
class JobKind(Generic[P]):
    """A declared kind of job. Calling it runs the function here and now; `enqueue` makes a job."""

    # A template that is handed a kind would run it by naming it.
    do_not_call_in_templates: ClassVar[bool] = True

    name: str
    function: Callable[P, Any]
    queue: str
    priority: Priority
    retry: Delays
    timeout: timedelta
    breaker: str | None
    rate: Rate | None
    concurrency: int | None
    skip_ahead: bool
    atomic: bool
    critical: bool
    on_notify: bool
    single: bool
    look: str
    periodic: Periodic | None
    signature: inspect.Signature
    hints: dict[str, Any]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self.function(*args, **kwargs)

    @property
    def is_external(self) -> bool:
        """Only outside workers run it: the function is the contract of its args."""
        from django.conf import settings  # noqa: PLC0415 - kinds are declared before settings are read

        return self.queue in settings.JOBS["external_queues"]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    def check(self, args: dict[str, Any]) -> None:
        """Raise ArgsInvalid, saying what is wrong, unless the args fit the signature."""
        try:
            self.signature.bind(**args)
        except TypeError as exc:
            raise errors.ArgsInvalid(f"{self.name}: {exc}") from None
        for name, value in args.items():
            hint = self.hints.get(name)
            if hint is not None and not fits(value, hint):
                raise errors.ArgsInvalid(
                    f"{self.name}: {name} must be {hint_say(hint)}, not {type(value).__name__}"
                )

    def enqueue(self, **options: Any) -> "Enqueued":
        """Make one job of this kind; see jobs.enqueue.job_enqueue for the options."""
        if _enqueuer is None:
            raise RuntimeError("jobs can be enqueued once Django is set up (django.setup())")
        return _enqueuer(self, **options)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of a call: the id of the job that stands for it, and whether it was there before."""

    id: UUID
    deduplicated: bool = False


_kinds: dict[str, JobKind[Any]] = {}
_enqueuer: Callable[..., Enqueued] | None = None


def enqueuer_set(enqueuer: Callable[..., Enqueued]) -> None:
    """Who makes jobs of declared kinds: jobs.enqueue says so of itself, for it knows us, not we it."""
    global _enqueuer  # noqa: PLW0603 - set once, when Django is set up
    _enqueuer = enqueuer


# Words that say how to enqueue, so that they cannot be names of args.
RESERVED = frozenset(
    [
        "priority",
        "queue",
        "run_at",
        "delay",
        "partition",
        "unique",
        "unique_ttl",
        "debounce",
        "deadline",
        "timeout",
        "retry",
        "batch",
        "correlation_id",
    ]
)


def job(
    name: str,
    *,
    queue: str = "default",
    priority: Priority = Priority.NORMAL,
    retry: Delays = NEVER,
    timeout: durations.Duration = DEFAULT_TIMEOUT,
    breaker: str | None = None,
    rate: Rate | None = None,
    concurrency: int | None = None,
    skip_ahead: bool = False,
    atomic: bool = False,
    critical: bool = False,
    on_notify: bool = False,
    single: bool = False,
    look: str = "",
    every: durations.Duration | None = None,
    cron: str = "",
    jitter: durations.Duration = 0,
    immediate: bool = False,
) -> Callable[[Callable[P, Any]], JobKind[P]]:
    """Declare a kind of job.

    timeout: raised inside the job as JobTimeout; a while later its worker process is killed.
    breaker: name of the outside service; while its breaker is open jobs are put off, unspent.
    concurrency: most jobs of this kind that run at once, over all workers.
    skip_ahead: a retry that waits lets later jobs of its partition key go first.
    atomic: the function runs in a transaction that commits together with its outcome, so that its
        rows are written exactly once; no network calls in it.
    critical: an end as dead is told to the admins at once.
    on_notify: `NOTIFY jobs_wake, '<name>'` by anybody runs it soon.
    single: one runs at a time, over all workers, and at most one more waits: whoever enqueues it,
        calls fold into the one that waits, at the earliest of their times. It takes no args.
    look: a query that finds a row while there is work for the kind. Each pool asks it every few seconds,
        in its own thread of work: it must be a step or two on an index, however much waits, and read
        nothing but the database. `%(now)s` in it is the time (lib.clock). Only for a single kind. Costs
        nothing to speak of while there is nothing to do, where a schedule would make a job each time.
    """

    def declare(function: Callable[P, Any]) -> JobKind[P]:
        kind = JobKind(
            name=name,
            function=function,
            queue=queue,
            priority=priority,
            retry=retry,
            timeout=durations.parse(timeout),
            breaker=breaker,
            rate=rate,
            concurrency=concurrency,
            skip_ahead=skip_ahead,
            atomic=atomic,
            critical=critical,
            on_notify=on_notify,
            single=single,
            look=_look(name, look, single=single),
            periodic=_periodic(every, cron, jitter, immediate),
            signature=_signature(name, function),
            hints=typing.get_type_hints(function),
        )
        _kinds[name] = kind
        return kind

    return declare


def _periodic(
    every: durations.Duration | None, cron: str, jitter: durations.Duration, immediate: bool
) -> Periodic | None:
    if every is None and not cron:
        return None
    return Periodic(
        every=None if every is None else durations.parse(every),
        cron=cron,
        jitter=durations.parse(jitter),
        immediate=immediate,
    )


def _look(name: str, query: str, *, single: bool) -> str:
    if query and not single:
        raise TypeError(f"{name}: only a single kind is looked for, or its jobs would pile up")
    return query


def _signature(name: str, function: Callable[..., Any]) -> inspect.Signature:
    """What a job of this name takes. Raises TypeError if it may not be declared so."""
    signature = inspect.signature(function)
    clash = RESERVED & set(signature.parameters)
    if clash:
        raise TypeError(f"{name}: args may not be called {', '.join(sorted(clash))}")
    if name in _kinds and _place(_kinds[name].function) != _place(function):
        raise TypeError(f"two jobs are declared as {name}")
    return signature


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    """Where a function is written; the same when its module is read again."""
    return function.__module__, function.__qualname__


def kind_get(name: str) -> JobKind[Any]:
    """The declared kind. Raises KindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise errors.KindUnknown(f"no job is declared as {name!r}") from None


def kind_find(name: str) -> JobKind[Any] | None:
    """The declared kind, or None if it vanished between deploys."""
    return _kinds.get(name)


def kinds() -> list[JobKind[Any]]:
    """All declared kinds, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
