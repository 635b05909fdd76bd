"""POST /v1/worker/jobs: what is made, and what is refused with a sentence."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.models import Job
from jobs.registry import JobKind
from lib import clock
from tests.jobs.api.caller import Caller
from tests.jobs.api.conftest import MakeCaller
from tests.jobs.conftest import Declare

ECHO = "external.echo"


def test_a_job_is_made_with_the_options_of_its_kind(api: Caller) -> None:
    reply = api.post("worker/jobs", {"kind": ECHO, "payload": {"message": {"a": [1]}}})

    assert reply.status == 201
    job = Job.objects.get()
    assert reply.body == {
        "id": str(job.pk),
        "state": "available",
        "deduplicated": False,
        "kind": ECHO,
        "queue": "external",
        "priority": 2,
        "run_at": reply.body["run_at"],
        "max_attempts": 4,
    }
    assert (job.args, job.queue, job.state) == ({"message": {"a": [1]}}, "external", "available")


def test_every_option_reaches_the_row(api: Caller) -> None:
    deadline = clock.now() + timedelta(hours=2)
    api.make(
        "jobs.noop",
        args={"n": 3},
        queue="maintenance",
        priority=0,
        part_key="chat:7",
        unique={"key": "import:5", "ttl": "1h"},
        delay_s=90,
        timeout_s=12.5,
        delays=["30s", 60, "1.5m"],
        deadline_at=deadline.isoformat(),
        trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )

    job = Job.objects.get()
    assert (job.args, job.queue, job.priority) == ({"n": 3}, "maintenance", 0)
    assert (job.partition_key, job.unique_key) == ("chat:7", "import:5")
    assert (job.timeout_s, job.retry_delays, job.max_attempts) == (12.5, [30, 60, 90], 4)
    assert job.run_at - job.created_at == timedelta(seconds=90)
    assert job.deadline_at == deadline
    assert job.correlation_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert job.state == "scheduled"


@pytest.mark.parametrize(
    ("options", "delays", "attempts"),
    [
        ({"delays": []}, [], 1),
        ({"delays": [1, 2]}, [1, 2], 3),
        ({"retry_policy": "payments"}, [30, 120, 600], 4),
        ({"retry_policy": "10s 30s"}, [10, 30], 3),
        ({"retry_policy": {"delays": ["1m"]}}, [60], 2),
        ({"delays": [5], "max_attempts": 9}, [5], 9),
    ],
)
def test_n_delays_mean_n_and_one_attempts(
    api: Caller, options: dict[str, Any], delays: list[float], attempts: int
) -> None:
    api.make("jobs.noop", **options)

    job = Job.objects.get()
    assert (job.retry_delays, job.max_attempts) == (delays, attempts)


def test_a_second_call_under_a_unique_key_finds_the_first_job(api: Caller) -> None:
    first = api.make(unique={"key": "invoice:9"})

    again = api.post("worker/jobs", {"kind": ECHO, "unique": {"key": "invoice:9"}})

    assert again.status == 200
    assert again.body == {"id": first, "state": "available", "deduplicated": True}
    assert Job.objects.count() == 1


def test_in_reject_mode_a_second_call_is_a_conflict_that_names_the_first(api: Caller) -> None:
    unique = {"key": "invoice:9", "mode": "reject"}
    first = api.make(unique=unique)

    again = api.post("worker/jobs", {"kind": ECHO, "unique": unique})

    assert (again.status, again.body["code"], again.body["id"]) == (409, "unique_conflict", first)


def test_of_debounced_calls_the_latest_wins_and_runs_after_its_window(api: Caller) -> None:
    debounce = {"key": "file:1", "window": 30, "max_wait": "2m"}
    first = api.make(payload={"message": 1}, debounce=debounce)

    with clock.shift(timedelta(seconds=20)):
        body = {"kind": ECHO, "payload": {"message": 2}, "debounce": debounce}
        again = api.post("worker/jobs", body)

    assert (again.status, again.body["id"]) == (200, first)
    job = Job.objects.get()
    assert (job.args, job.debounced) == ({"message": 2}, 1)
    assert timedelta(seconds=49) < job.run_at - job.created_at < timedelta(seconds=52)


def _typed(n: int, name: str = "") -> None:
    """Takes a whole number."""


def _open(**anything: Any) -> None:
    """Takes any args by name."""


REFUSED: dict[str, tuple[Any, int, str, str]] = {
    "no kind": ({"kind": None}, 422, "invalid_option", "kind"),
    "kind is a number": ({"kind": 7}, 422, "invalid_option", "kind"),
    "unknown kind": ({"kind": "no.such"}, 422, "unknown_kind", "no.such"),
    "a pickle": ({"kind": "django_q.task", "payload": {"package": "x"}}, 422, "unknown_kind", ""),
    "not an object": (["jobs.noop"], 422, "invalid_option", "object"),
    "unknown option": ({"dealy_s": 5}, 422, "invalid_option", "dealy_s"),
    "arg of a wrong type": ({"payload": {"n": "five"}}, 422, "invalid_args", "n must be int"),
    "arg missing": ({"payload": {}}, 422, "invalid_args", "n"),
    "arg too many": ({"payload": {"n": 1, "m": 2}}, 422, "invalid_args", "m"),
    "payload is a list": ({"payload": [1]}, 422, "invalid_args", "object"),
    "payload and args": ({"args": {"n": 1}}, 422, "invalid_option", "both"),
    "unknown queue": ({"queue": "nowhere"}, 422, "unknown_queue", "nowhere"),
    "queue is empty": ({"queue": ""}, 422, "invalid_option", "queue"),
    "negative delay": ({"delay_s": -5}, 422, "invalid_option", "delay_s: -5 is negative"),
    "delay is a word": ({"delay_s": "soon"}, 422, "invalid_option", "delay_s"),
    "delay is true": ({"delay_s": True}, 422, "invalid_option", "delay_s"),
    "delay of an age": ({"delay_s": 1e300}, 422, "invalid_option", "delay_s"),
    "delay beyond ten years": ({"delay_s": 400_000_000}, 422, "invalid_option", "delay_s"),
    "run_at without zone": ({"run_at": "2026-11-22T10:00:00"}, 422, "invalid_option", "run_at"),
    "run_at is a number": ({"run_at": 1700000000}, 422, "invalid_option", "run_at"),
    "run_at in the year 1": ({"run_at": "0001-01-01T00:00+14:00"}, 422, "invalid_option", "run_at"),
    "run_at and delay": (
        {"run_at": "2026-11-22T10:00:00Z", "delay_s": 1}, 422, "invalid_option", "not both",
    ),
    "deadline has passed": (
        {"deadline_at": "2020-01-01T00:00:00Z"}, 422, "invalid_option", "deadline_at",
    ),
    "priority 4": ({"priority": 4}, 422, "invalid_option", "priority"),
    "priority is true": ({"priority": True}, 422, "invalid_option", "priority"),
    "timeout 0": ({"timeout_s": 0}, 422, "invalid_option", "timeout"),
    "timeout of a week": ({"timeout_s": "7d"}, 422, "invalid_option", "timeout"),
    "delays is a number": ({"delays": 5}, 422, "invalid_option", "delays"),
    "a negative rung": ({"delays": [1, -1]}, 422, "invalid_option", "delays"),
    "a ladder too long": ({"delays": [1] * 101}, 422, "invalid_option", "100"),
    "unknown policy": ({"retry_policy": "patience"}, 422, "invalid_option", "retry_policy"),
    "policy and delays": ({"retry_policy": "sync", "delays": [1]}, 422, "invalid_option", "both"),
    "no attempts": ({"max_attempts": 0}, 422, "invalid_option", "max_attempts"),
    "unique without key": ({"unique": {}}, 422, "invalid_option", "unique.key"),
    "unique is a text": ({"unique": "x"}, 422, "invalid_option", "unique"),
    "unique key too long": ({"unique": {"key": "x" * 201}}, 422, "invalid_option", "unique.key"),
    "unique ttl 0": ({"unique": {"key": "x", "ttl": 0}}, 422, "invalid_option", "unique.ttl"),
    "unique states": (
        {"unique": {"key": "x", "states": ["running"]}}, 422, "invalid_option", "unique.states",
    ),
    "unique mode": ({"unique": {"key": "x", "mode": "?"}}, 422, "invalid_option", "unique.mode"),
    "debounce without window": ({"debounce": {}}, 422, "invalid_option", "debounce.window"),
    "debounce back in time": ({"debounce": {"window": -1}}, 422, "invalid_option", "debounce.window"),
    "debounce key too long": (
        {"debounce": {"window": 1, "key": "x" * 200}}, 422, "invalid_option", "debounce",
    ),
    "debounce and unique": (
        {"debounce": {"window": 1}, "unique": {"key": "x"}}, 422, "invalid_option", "debounce",
    ),
    "debounce and delay": (
        {"debounce": {"window": 1}, "delay_s": 1}, 422, "invalid_option", "debounce",
    ),
    "trace with blanks": ({"trace": "a b"}, 422, "invalid_option", "trace"),
    "part_key too long": ({"part_key": "k" * 161}, 422, "invalid_option", "part_key"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "word"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_with_a_sentence(
    api: Caller, declare: Declare, body: Any, status: int, code: str, word: str
) -> None:
    declare(_typed)
    if isinstance(body, dict):
        body = {"kind": "tests.kind", "payload": {"n": 1}, **body}

    reply = api.post("worker/jobs", body)

    assert (reply.status, reply.body["code"]) == (status, code), reply.body
    assert word in reply.body["detail"]
    assert not Job.objects.exists()


def test_a_payload_cannot_smuggle_options(api: Caller, declare: Declare) -> None:
    kind: JobKind[Any] = declare(_open)

    reply = api.post("worker/jobs", {"kind": kind.name, "payload": {"priority": 0, "x": 1}})

    assert (reply.status, reply.body["code"]) == (422, "invalid_args")


def test_a_payload_of_256_kb_is_the_most(api: Caller) -> None:
    fits, large = "x" * (256 * 1024 - 14), "x" * (256 * 1024 - 13)

    assert api.post("worker/jobs", {"kind": ECHO, "payload": {"message": fits}}).status == 201
    reply = api.post("worker/jobs", {"kind": ECHO, "payload": {"message": large}})
    assert (reply.status, reply.body["code"]) == (413, "args_too_large")
    huge = api.post("worker/jobs", {"kind": ECHO, "payload": {"message": "x" * 2_000_000}})
    assert huge.status == 413


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'kind': 1}", b"\xff\xfe", b'{"kind": "jobs.noop", "payload": {"n": NaN}}'],
)
def test_malformed_json_is_answered_400(api: Caller, body: bytes) -> None:
    reply = api.post("worker/jobs", body)
    assert (reply.status, reply.body["code"]) == (400, "malformed")


def test_json_that_postgres_or_we_cannot_write_is_refused(api: Caller) -> None:
    nul = api.post("worker/jobs", b'{"kind": "external.echo", "payload": {"message": "a\\u0000"}}')
    deep = b'{"kind": "external.echo", "payload": {"message": ' + b"[" * 500 + b"]" * 500 + b"}}"
    assert nul.status == 400
    assert api.post("worker/jobs", deep).body["code"] == "invalid_args"
    assert api.post("worker/jobs", deep, **{"Idempotency-Key": "k"}).status == 422


def test_a_job_is_made_only_by_who_may(caller: MakeCaller) -> None:
    body = {"kind": ECHO}

    assert Caller(None).post("worker/jobs", body).status == 401
    refused = caller("jobs.lease_job").post("worker/jobs", body)
    assert (refused.status, refused.body["code"]) == (403, "permission_denied")
    assert caller("jobs.enqueue_job", name="maker").post("worker/jobs", body).status == 201
