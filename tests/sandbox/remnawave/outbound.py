"""One HTTP POST from the event loop, on a connection of its own, as webhook senders make it."""

import asyncio
from urllib.parse import urlsplit


async def deliver(url: str, body: bytes, headers: dict[str, str]) -> int:
    """POST the body; return the status of the answer, whose own body nobody reads.

    Raises OSError if nobody is there, EOFError if the connection ends before a status line,
    ValueError for an address or answer that is not HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url} is no http address")
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=is_tls or None)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            *(f"{name}: {value}" for name, value in headers.items()),
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        line = await reader.readline()
        if not line:
            raise EOFError("the connection was closed without an answer")
        words = line.split()
        if len(words) < 2 or not words[0].startswith(b"HTTP/"):
            raise ValueError("the answer is not HTTP")
        return int(words[1])
    finally:
        writer.close()
