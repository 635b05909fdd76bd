"""One POST over a connection of its own, without threads: it ends with the program at once."""

import asyncio
import contextlib
from collections.abc import Mapping
from urllib.parse import urlsplit

TIMEOUT_S = 5.0


class PostFailed(Exception):
    """No answer came; the text says why."""


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a body and return the status of the answer. Raises PostFailed."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _exchange(
                parts.hostname or "", parts.port or (443 if is_tls else 80), request, is_tls=is_tls
            )
    except TimeoutError:
        raise PostFailed(f"no answer within {TIMEOUT_S:g} s") from None
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise PostFailed(f"{type(error).__name__}: {error}") from None


async def _exchange(host: str, port: int, request: bytes, *, is_tls: bool) -> int:
    reader, writer = await asyncio.open_connection(host, port, ssl=is_tls or None)
    try:
        writer.write(request)
        await writer.drain()
        status = int((await reader.readuntil(b"\r\n")).split()[1])
        await reader.read()  # to the end, or the receiver sees its answer refused
        return status
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
