"""From the body of a request to the spec of a job: each option by its name here, each error a sentence."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs import errors, ladders
from jobs.ladders import Delays
from jobs.models import OPEN, Queue
from jobs.registry import RESERVED, Debounce, JobKind, kind_get
from jobs.specs import MAX_DELAY, JobSpec, spec_build
from jobs.third_party import task as third_party_task
from lib import clock, durations

OPTIONS = frozenset(
    [
        "kind", "queue", "payload", "args", "priority", "part_key", "partition_key", "unique",
        "debounce", "run_at", "delay_s", "timeout_s", "retry_policy", "delays", "max_attempts",
        "deadline_at", "trace",
    ]
)  # fmt: skip
LADDERS: dict[str, Delays] = {
    name.lower(): ladder for name, ladder in vars(ladders).items() if isinstance(ladder, Delays)
}
MOST_ATTEMPTS = 1000
_TRACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that a caller wants. rejects: a job under the same unique key is an error to the caller."""

    spec: JobSpec
    rejects: bool


def job_read(body: Any) -> Wanted:
    """Check everything but the queue. Raises KindUnknown, ArgsInvalid, ArgsTooLarge, EnqueueInvalid."""
    if not isinstance(body, dict):
        raise errors.EnqueueInvalid("a job is a JSON object with kind and payload")
    unknown = sorted(set(body) - OPTIONS)
    if unknown:
        raise _invalid(
            unknown[0], f"there is no such option; there are {', '.join(sorted(OPTIONS))}"
        )
    given = {name: value for name, value in body.items() if value is not None}
    kind = _kind(given.get("kind"))
    args = _args(kind, given)
    options: dict[str, Any] = {"priority": given.get("priority", kind.priority)}
    if "queue" in given:
        options["queue"] = _text("queue", given["queue"], 40)
    if (key := _one_of(given, "part_key", "partition_key")) is not None:
        options["partition"] = _text("part_key", key, 160)
    if "run_at" in given:
        options["run_at"] = _moment("run_at", given["run_at"])
    for name, option in (("delay_s", "delay"), ("timeout_s", "timeout")):
        if name in given:
            options[option] = _span(name, given[name])
    if "deadline_at" in given:
        options["deadline"] = _deadline(given["deadline_at"])
    if "trace" in given:
        options["correlation_id"] = _trace(given["trace"])
    rejects = _unique(options, given.get("unique"))
    _debounce(options, given.get("debounce"))
    _retry(options, given)
    spec = spec_build(kind, {**args, **options})
    if "max_attempts" in given:
        spec.max_attempts = _attempts(given["max_attempts"])
    return Wanted(spec, rejects)


def queues_check(specs: Iterable[JobSpec]) -> dict[str, errors.QueueUnknown]:
    """The errors of the queues that are not there, by name. One query."""
    names = {spec.queue for spec in specs}
    known = set(Queue.objects.filter(name__in=names).values_list("name", flat=True))
    return {name: errors.QueueUnknown(f"there is no queue {name!r}") for name in names - known}


def _invalid(field: str, why: str) -> errors.EnqueueInvalid:
    return errors.EnqueueInvalid(f"{field}: {why}", errors=[{"field": field, "message": why}])


def _kind(name: Any) -> JobKind[Any]:
    if not isinstance(name, str):
        raise _invalid("kind", "must be the name of a declared job, for instance jobs.noop")
    if name == third_party_task.name:  # its args are a pickle; nobody hands us one over HTTP
        raise errors.KindUnknown(f"jobs of kind {name!r} are not made over REST")
    return kind_get(name)


def _args(kind: JobKind[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    args = _one_of(given, "payload", "args")
    if args is None:
        args = {}
    if not isinstance(args, dict):
        raise errors.ArgsInvalid(f"{kind.name}: payload must be an object of args by name")
    taken = sorted(RESERVED & set(args))
    if taken:
        raise errors.ArgsInvalid(f"{kind.name}: there is no arg {taken[0]!r}")
    return args


def _one_of(given: Mapping[str, Any], name: str, alias: str) -> Any:
    if name in given and alias in given:
        raise _invalid(name, f"give {name} or {alias}, not both")
    return given.get(name, given.get(alias))


def _text(name: str, value: Any, longest: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise _invalid(name, f"must be a text of 1 to {longest} characters")
    return value


def _span(name: str, value: Any, most: timedelta = MAX_DELAY) -> timedelta:
    if not isinstance(value, int | float | str):
        raise _invalid(name, "must be a number of seconds")
    try:
        span = durations.parse(value)
    except (durations.DurationInvalid, OverflowError) as exc:
        raise _invalid(name, str(exc)) from None
    if span > most:
        raise _invalid(name, f"must be at most {durations.words(most)}")
    return span


def _moment(name: str, value: Any) -> datetime:
    """An ISO 8601 moment with its offset, within ten years from now."""
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC) if _has_zone(value) else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise _invalid(name, "must be a moment with a time zone, for instance 2026-11-22T10:00:00Z")
    if abs(moment - clock.now()) > MAX_DELAY:
        raise _invalid(name, "must lie within ten years from now")
    return moment


def _has_zone(value: Any) -> bool:
    return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None


def _deadline(value: Any) -> datetime:
    moment = _moment("deadline_at", value)
    if moment <= clock.now():
        raise _invalid("deadline_at", "has passed already")
    return moment


def _trace(value: Any) -> str:
    """A correlation id, or an object with correlation_id or traceparent (W3C Trace Context)."""
    if isinstance(value, dict):
        value = value.get("correlation_id") or value.get("traceparent")
    if isinstance(value, str):
        if parent := _TRACEPARENT.fullmatch(value):
            return parent[1]
        if _TRACE.fullmatch(value):
            return value
    raise _invalid(
        "trace", "must be a traceparent, or 1 to 64 of the characters A-Z a-z 0-9 . _ : -"
    )


def _object(name: str, value: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(name, "must be an object")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise _invalid(
            f"{name}.{unknown[0]}", f"there is no such option; there are {', '.join(known)}"
        )
    return {key: each for key, each in value.items() if each is not None}


def _unique(options: dict[str, Any], value: Any) -> bool:
    """Without ttl the key is held while its job is open. Says whether a second job is an error."""
    if value is None:
        return False
    given = _object("unique", value, ("key", "ttl", "states", "mode"))
    options["unique"] = _text("unique.key", given.get("key"), 200)
    if "ttl" in given:
        options["unique_ttl"] = _span("unique.ttl", given["ttl"])
        if not options["unique_ttl"]:
            raise _invalid("unique.ttl", "must be more than 0")
    states = given.get("states")
    if states is not None and (not isinstance(states, list) or set(map(str, states)) != set(OPEN)):
        why = f"can only be {', '.join(OPEN)}, which is what no ttl means; with a ttl leave it out"
        raise _invalid("unique.states", why)
    mode = given.get("mode", "return")
    if mode not in ("return", "reject"):
        raise _invalid("unique.mode", 'must be "return" (the job that is there) or "reject"')
    return bool(mode == "reject")


def _debounce(options: dict[str, Any], value: Any) -> None:
    if value is None:
        return
    given = _object("debounce", value, ("key", "window", "max_wait"))
    if "window" not in given:
        raise _invalid("debounce.window", "is missing; it is a number of seconds")
    if "delay" in options or "run_at" in options:
        raise _invalid("debounce", "says when to run; give neither delay_s nor run_at")
    longest = given.get("max_wait")
    debounce = Debounce(
        _span("debounce.window", given["window"]),
        None if longest is None else _span("debounce.max_wait", longest),
    )
    key = given.get("key")
    options["debounce"] = (
        debounce if key is None else (_text("debounce.key", key, 200), debounce)
    )  # fmt: skip


def _retry(options: dict[str, Any], given: Mapping[str, Any]) -> None:
    policy, delays = given.get("retry_policy"), given.get("delays")
    if policy is not None and delays is not None:
        raise _invalid("delays", "give retry_policy or delays, not both")
    if isinstance(policy, dict):
        delays = _object("retry_policy", policy, ("delays",)).get("delays")
        policy = None
    if isinstance(policy, str) and policy in LADDERS:
        options["retry"] = LADDERS[policy]
    elif isinstance(policy, str) and not policy[:1].isdigit():
        raise _invalid("retry_policy", f"must be one of {', '.join(sorted(LADDERS))}, or delays")
    elif isinstance(policy, str):
        options["retry"] = Delays([_span("retry_policy", step) for step in policy.split()])
    elif policy is not None:
        raise _invalid("retry_policy", "must be a name or an object with delays")
    elif delays is not None:
        if not isinstance(delays, list):
            raise _invalid("delays", 'must be a list of seconds or of texts such as "30s"')
        options["retry"] = Delays([_span("delays", step) for step in delays])


def _attempts(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_ATTEMPTS:
        raise _invalid("max_attempts", f"must be a whole number from 1 to {MOST_ATTEMPTS}")
    return value
