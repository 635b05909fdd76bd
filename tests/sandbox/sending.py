"""One HTTP POST from the event loop, as webhook senders make it: without threads, so that it ends with
the program at once, and over a connection that is used again while it is fresh."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

# Shorter than any receiver keeps an idle connection: one that ends just now would cost a delivery.
FRESH_S = 2.0
_HEAD_LIMIT = 64 * 1024


class PostFailed(Exception):
    """No answer came; the text says why."""


class Connection(NamedTuple):
    """One that is open, and idle since a moment of the steady clock."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float

    def is_fresh(self) -> bool:
        """Whether nothing has come in, not even its end, and it has not waited for long."""
        is_open = not (self.reader.at_eof() or self.writer.is_closing())
        return is_open and time.monotonic() - self.idle_since < FRESH_S


Place = tuple[str, int, bool]  # host, port, TLS
_idle: defaultdict[Place, list[Connection]] = defaultdict(list)


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a body and return the status of the answer, whose own body nobody reads.

    Raises OSError if nobody is there, EOFError if the connection ends before the answer does,
    ValueError for an address or an answer that is not HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url} is no http address")
    is_tls = parts.scheme == "https"
    place = parts.hostname, parts.port or (443 if is_tls else 80), is_tls
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    reader, writer = await _open(place)
    is_kept = False
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        status, is_kept = await _answer(reader)
    finally:
        if is_kept:
            _idle[place].append(Connection(reader, writer, time.monotonic()))
        else:
            writer.close()
    return status


async def post_within(seconds: float, url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The same for senders who only note what went wrong. Raises PostFailed."""
    try:
        async with asyncio.timeout(seconds):
            return await post(url, body, headers)
    except TimeoutError:
        raise PostFailed(f"no answer within {seconds:g} s") from None
    except (OSError, ValueError, EOFError) as error:
        raise PostFailed(f"{type(error).__name__}: {error}") from None


async def _open(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    idle = _idle[place]
    while idle:
        found = idle.pop()
        if found.is_fresh():
            return found.reader, found.writer
        found.writer.close()
    host, port, is_tls = place
    return await asyncio.open_connection(host, port, ssl=is_tls or None, limit=_HEAD_LIMIT)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the connection stays open behind the answer, which is read whole."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise ValueError("the answer is not HTTP") from None
    first, *rest = head.lower().split(b"\r\n")
    words = first.split()
    if len(words) < 2 or not words[0].startswith(b"http/"):
        raise ValueError("the answer is not HTTP")
    given = dict(line.split(b":", 1) for line in rest if b":" in line)
    length = given.get(b"content-length", b"").strip()
    if not length.isdigit():
        await reader.read()  # to the end, or the receiver sees its answer refused
        return int(words[1]), False
    await reader.readexactly(int(length))
    connection = given.get(b"connection", b"").strip()
    return int(words[1]), words[0] == b"http/1.1" and connection != b"close"
