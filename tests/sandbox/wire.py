"""The lowest level of every service: read a body, write an answer, cut a connection."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

JSON = b"application/json"
HTML = b"text/html; charset=utf-8"


class BodyTooLarge(Exception):
    """The body of a request is larger than the service takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, ready to be written."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_answer(status: int, content: Any) -> Answer:
    return Answer(status, orjson.dumps(content))


async def read_body(receive: Receive, limit_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge, and ClientDisconnect if the caller leaves early."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
        size += len(chunks[-1])
        if size > limit_bytes:
            raise BodyTooLarge
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def send_answer(send: Send, answer: Answer) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", answer.content_type),
                (b"content-length", str(len(answer.body)).encode()),
                *answer.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the TCP connection without an answer; the caller sees it lost.

    Needs the protocol of tests.sandbox.server, which hands its abort function over in the scope.
    """
    scope["extensions"]["sandbox.cut"]["abort"]()
    # The server writes an error page for a call that ends unanswered while it thinks the caller is
    # there: wait until it has seen that the connection is gone.
    while (await receive())["type"] != "http.disconnect":
        continue
