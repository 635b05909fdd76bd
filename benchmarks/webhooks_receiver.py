"""A cheap receiver of webhooks in a process of its own: python -m benchmarks.webhooks_receiver.

It prints its port. POST to /hang is never answered, any other is answered 204 at once and its arrival
noted by webhook-id. GET /arrivals gives {"<webhook-id>": [moments]}, GET /hanging a count; GET /forget
empties both. HTTP/1.1 as our own client speaks it, and no more.
"""

import asyncio
import json
import re
import time

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_ID = re.compile(rb"\r\nwebhook-id: (\S+)", re.IGNORECASE)

arrivals: dict[str, list[float]] = {}
hanging = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection; a request may come in pieces."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end]
            found = _LENGTH.search(head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        global hanging  # noqa: PLW0603 - the one count of this process
        target = head.split(b" ", 2)[1]
        if head.startswith(b"GET"):
            self._tell(target)
        elif target == b"/hang":
            hanging += 1
        else:
            if (found := _ID.search(head)) is not None:
                arrivals.setdefault(found[1].decode(), []).append(time.time())
            self._transport.write(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")

    def _tell(self, target: bytes) -> None:
        global hanging  # noqa: PLW0603
        body = json.dumps(arrivals if target == b"/arrivals" else hanging).encode()
        if target == b"/forget":
            arrivals.clear()
            hanging = 0
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
