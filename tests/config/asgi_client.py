"""Asks an ASGI application what a server would ask it, without a server."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from asgiref.sync import async_to_sync


class Reply(NamedTuple):
    """An answer; nothing was answered if status is 0."""

    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return orjson.loads(self.content)


class Wire:
    """One request, as a server hands it to the application in chunks, and what comes back."""

    def __init__(self, chunks: Sequence[bytes], *, is_cut: bool = False) -> None:
        self._coming: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": is_cut or n < len(chunks) - 1}
            for n, chunk in enumerate(chunks)
        ]
        self._is_cut = is_cut
        self.taken = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if self._coming:
            self.taken += 1
            return self._coming.pop(0)
        if not self._is_cut:
            await asyncio.Event().wait()  # the caller stays and waits
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def reply(self) -> Reply:
        if not self.sent:
            return Reply(0, {}, b"")
        headers = {
            name.decode().lower(): value.decode("latin-1")
            for name, value in self.sent[0]["headers"]
        }
        content = b"".join(message["body"] for message in self.sent[1:])
        return Reply(self.sent[0]["status"], headers, content)


def scope_of(
    path: str, headers: Iterable[tuple[str, str]] = (), *, method: str = "POST", query: str = ""
) -> dict[str, Any]:
    """What a server says of a request from this machine."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"testserver")]
        + [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


def ask(
    application: Any,
    path: str,
    body: bytes | Sequence[bytes] = b"{}",
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    query: str = "",
) -> Reply:
    """Send a request with its length, or in chunks without one, and wait for the answer."""
    given = {"content-type": "application/json", **(headers or {})}
    if isinstance(body, bytes):
        given.setdefault("content-length", str(len(body)))
        body = [body]
    wire = Wire(body)
    scope = scope_of(path, given.items(), method=method, query=query)
    async_to_sync(application)(scope, wire.receive, wire.send)
    return wire.reply()
