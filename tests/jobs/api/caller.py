"""Machines that call the API, and what they do all day."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import orjson
from django.db import connections
from django.test import Client

T = TypeVar("T")

EVERYTHING = (
    "jobs.enqueue_job",
    "jobs.lease_job",
    "jobs.lease_any_queue",
    "jobs.view_jobrecord",
    "jobs.operate_job",
    "jobs.pause_queue",
    "jobs.operate_schedule",
    "jobs.operate_breaker",
    "jobs.direct_worker",
)


class Reply(NamedTuple):
    """An answer: its body is parsed JSON, or None."""

    status: int
    body: Any
    headers: Any
    raw: bytes


class Caller:
    """A machine with a token. Paths are below /v1/."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = Client(headers=headers)

    def twin(self) -> "Caller":
        """The same machine in another thread."""
        return Caller(self._token)

    def get(self, path: str, **query: Any) -> Reply:
        """GET with a query."""
        return _reply(self.client.get(f"/v1/{path}", query))

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        """POST a JSON body, or a raw one."""
        data = body if isinstance(body, bytes) else orjson.dumps({} if body is None else body)
        return _reply(
            self.client.post(
                f"/v1/{path}", data, content_type="application/json", headers=headers or None
            )
        )

    def make(self, kind: str = "external.echo", /, **options: Any) -> str:
        """Make a job that must be new. Returns its id."""
        reply = self.post("worker/jobs", {"kind": kind, **options})
        assert reply.status == 201, reply
        job_id: str = reply.body["id"]
        return job_id

    def lease(self, worker: str = "w:1:a", **options: Any) -> list[Any]:
        """Lease jobs. An answer without any is an empty list."""
        reply = self.post("worker/lease", {"worker_id": worker, **options})
        assert reply.status in {200, 204}, reply
        return list(reply.body["jobs"]) if reply.body else []

    def lease_one(self, worker: str = "w:1:a", **options: Any) -> Any:
        """Lease exactly one job."""
        (job,) = self.lease(worker, **options)
        return job

    def end(self, verb: str, job: Any, **body: Any) -> Reply:
        """Complete, fail or release a leased job, or beat for it."""
        body.setdefault("lease_token", job["lease_token"])
        return self.post(f"worker/jobs/{job['id']}/{verb}", body)

    def job(self, job_id: str) -> Any:
        """The job as anybody may see it."""
        reply = self.get(f"jobs/{job_id}")
        assert reply.status == 200, reply
        return reply.body


def _reply(response: Any) -> Reply:
    is_json = "json" in response.get("Content-Type", "")
    body = orjson.loads(response.content) if is_json else None
    return Reply(response.status_code, body, response.headers, response.content)


def together(*acts: Callable[[], T]) -> list[T]:
    """Do all acts at the same moment, each in a thread with a connection of its own."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        barrier.wait()
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def until(condition: Callable[[], Any], within_s: float = 20) -> Any:
    """Look again and again until it is true."""
    pause, end = Event(), monotonic() + within_s
    while not (found := condition()):
        assert monotonic() < end, "it never came true"
        pause.wait(0.01)
    return found
