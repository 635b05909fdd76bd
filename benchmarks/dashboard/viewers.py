"""All screens in one process: {url, token, count} opens them, {number} names the
event to look for, {wait} waits until all show it. A JSON line each.
"""

import asyncio
import json
import sys
from time import monotonic_ns
from typing import Any

import uvloop
from websockets.asyncio.client import ClientConnection, connect

EVENTS = '{"type":"dashboard.events"'
PATIENCE_S = 30.0


class Crowd:
    """Which event each screen shows on top, and when it came."""

    def __init__(self) -> None:
        self._wanted = ""
        self._seen: dict[int, int] = {}
        self._bytes = 0
        self._count = 0
        self._all = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:
        """One order of the suite."""
        if "url" in order:
            return await self._open(order["url"], order["token"], order["count"])
        if "number" in order:
            self._wanted = f'"title":"bench {order["number"]}"'
            self._seen, self._all = {}, asyncio.Event()
            return {"looking": True}
        async with asyncio.timeout(PATIENCE_S):
            await self._all.wait()
        return {
            "first_ns": min(self._seen.values()),
            "last_ns": max(self._seen.values()),
            "bytes": self._bytes,
        }

    async def _open(self, url: str, token: str, count: int) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        self._count = count
        for number in range(count):
            socket = await connect(url, additional_headers=headers, compression=None, proxy=None)
            await socket.recv()  # admitted
            self._tasks.append(asyncio.create_task(self._read(number, socket)))
        return {"opened": len(self._tasks)}

    async def _read(self, number: int, socket: ClientConnection) -> None:
        async for frame in socket:
            assert isinstance(frame, str)
            if not frame.startswith(EVENTS):
                continue
            # The newest event is the first of the frame.
            if self._wanted and self._wanted in frame[:300] and number not in self._seen:
                self._seen[number] = monotonic_ns()
                self._bytes = len(frame)
                if len(self._seen) == self._count:
                    self._all.set()


async def main() -> None:
    """Serve orders until stdin closes."""
    crowd, loop = Crowd(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = await crowd.do(json.loads(line))
        except Exception as exc:  # noqa: BLE001 - the suite raises it
            answer = {"failed": f"{type(exc).__name__}: {exc}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
