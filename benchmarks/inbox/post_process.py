"""python -m benchmarks.inbox.post_process SPEC: POST /api/v1/notify over kept connections.

SPEC is JSON: ports, connections, token, targets (per request), people, seconds or requests, rate.
Without a rate each connection sends its next request when the answer is there; with one, requests
start on time and a latency counts from the moment when the request was due, so a server that
stalls cannot hide it. Prints {"requests", "seconds", "waits_ms": [...], "client_cpu_s"}. Every
answer must be 202 with an id per target.
"""

import asyncio
import json
import sys
from collections import deque
from dataclasses import dataclass
from time import monotonic, process_time
from typing import Any, cast

import uvloop

HOST = "127.0.0.1"
MESSAGE = "Your order has been handed to the courier and will be with you tomorrow before noon."


@dataclass(frozen=True, slots=True)
class Spec:
    """What to send, to whom, for how long."""

    ports: list[int]
    token: str
    connections: int = 1
    targets: int = 1
    people: int = 10_000
    first: int = 0  # number of the first request
    requests: int = 0
    seconds: float = 0.0
    rate: float = 0.0

    def body(self, number: int) -> bytes:
        """Consecutive people, so that a thousand of them are a thousand different ones."""
        start = number * self.targets
        people = [(start + offset) % self.people + 1 for offset in range(self.targets)]
        target = [{"id": person, "login": f"u{person}"} for person in people]
        return json.dumps({"target": target, "message": MESSAGE, "source": "bench"}).encode()

    def request(self, number: int) -> bytes:
        """The whole request."""
        body = self.body(number)
        head = (
            f"POST /api/v1/notify HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Line(asyncio.Protocol):
    """One kept connection with one request under way."""

    def __init__(self, targets: int) -> None:
        self._targets = targets
        self._answer: asyncio.Future[None] | None = None
        self._read = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's inherits from nothing

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(ConnectionError(f"closed before its answer: {exc}"))

    def post(self, request: bytes) -> asyncio.Future[None]:
        """Done when the answer is there and is what it must be."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        read = self._read
        read += data
        head = read.find(b"\r\n\r\n")
        if head < 0:
            return
        fields = bytes(read[:head]).lower()
        named = fields.find(b"content-length:")
        if named < 0:
            self._end(ValueError(f"no length: {fields!r}"))
            return
        length = int(fields[named + 15 :].split(b"\r\n", 1)[0])
        if len(read) < head + 4 + length:
            return
        ids = read.count(b'"notification_id"')
        if not read.startswith(b"HTTP/1.1 202") or ids != self._targets:
            self._end(ValueError(f"{ids} ids in {bytes(read[:400])!r}"))
            return
        self._end(None)

    def _end(self, wrong: Exception | None) -> None:
        answer, self._answer = self._answer, None
        self._read.clear()
        assert answer is not None
        if wrong is None:
            answer.set_result(None)
        else:
            answer.set_exception(wrong)


class Load:
    """All connections, and what they measured."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._lines: list[Line] = []
        self._next = spec.first
        self.waits_ms: list[float] = []

    async def run(self) -> dict[str, Any]:
        """Send it all."""
        loop, spec = asyncio.get_running_loop(), self._spec
        for number in range(spec.connections):
            port = spec.ports[number % len(spec.ports)]
            _, line = await loop.create_connection(lambda: Line(spec.targets), HOST, port)
            self._lines.append(line)
        started = monotonic()
        if spec.rate:
            await self._on_time(started)
        else:
            async with asyncio.TaskGroup() as group:
                for line in self._lines:
                    group.create_task(self._one_by_one(line, started))
        seconds = monotonic() - started
        requests = self._next - spec.first
        return {
            "requests": requests,
            "seconds": seconds,
            "waits_ms": self.waits_ms,
            "client_cpu_s": process_time(),
        }

    def _goes_on(self, started: float) -> bool:
        if self._spec.requests:
            return self._next - self._spec.first < self._spec.requests
        return monotonic() - started < self._spec.seconds

    async def _one_by_one(self, line: Line, started: float) -> None:
        while self._goes_on(started):
            request = self._spec.request(self._next)
            self._next += 1
            await self._timed(line, request, monotonic())

    async def _on_time(self, started: float) -> None:
        free = deque(self._lines)
        freed = asyncio.Event()

        async def send(number: int, due: float) -> None:
            while not free:
                freed.clear()
                await freed.wait()
            line = free.popleft()
            await self._timed(line, self._spec.request(number), due)
            free.append(line)
            freed.set()

        async with asyncio.TaskGroup() as group:
            while self._goes_on(started):
                due = started + (self._next - self._spec.first) / self._spec.rate
                await asyncio.sleep(max(0.0, due - monotonic()))
                group.create_task(send(self._next, due))
                self._next += 1

    async def _timed(self, line: Line, request: bytes, since: float) -> None:
        await line.post(request)
        self.waits_ms.append((monotonic() - since) * 1000)


if __name__ == "__main__":
    print(json.dumps(uvloop.run(Load(Spec(**json.loads(sys.argv[1]))).run())))
