"""A panel of which a test writes every answer: a real HTTP server, one answer per request, in order."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from subscriptions.panel.client import PanelClient
from tests.subscriptions.panel import bodies

TOKEN = "eyJhbGciOiJIUzI1NiJ9.sEcReT-of-the-panel.c2ln"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str  # with the query
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Cut:
    """Hang up: after reading the request (it may have been carried out)."""


class Stage:
    """Answers are queued with `say`; one that nobody queued fails the test by a 599."""

    def __init__(self, version: Mapping[str, Any] | None = bodies.METADATA_V3) -> None:
        self.asked: list[Asked] = []
        self.version = version
        self._answers: list[tuple[int, bytes, Mapping[str, str]] | Cut] = []
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                stage.play(self)

            do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815 - names of the base class

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def say(
        self,
        body: Any = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        is_bare: bool = False,
    ) -> None:
        """Queue an answer. A dict or list on 200 goes into `response` unless is_bare."""
        if isinstance(body, bytes):
            raw = body
        elif body is None:
            raw = b""
        else:
            wrapped = body if is_bare or status >= 300 else {"response": body}
            raw = json.dumps(wrapped).encode()
        self._answers.append((status, raw, headers or {}))

    def cut(self) -> None:
        """Queue a hang-up after the request was read."""
        self._answers.append(Cut())

    def play(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        if handler.path.endswith("/api/system/metadata") and self.version is not None:
            self._answer(handler, 200, json.dumps({"response": self.version}).encode(), {})
            return
        self.asked.append(
            Asked(handler.command, handler.path, dict(handler.headers), json.loads(raw) if raw else None)
        )  # fmt: skip
        answer = self._answers.pop(0) if self._answers else (599, b"not expected", {})
        if isinstance(answer, Cut):
            handler.close_connection = True
            handler.connection.close()
            return
        self._answer(handler, *answer)

    @staticmethod
    def _answer(
        handler: BaseHTTPRequestHandler, status: int, raw: bytes, headers: Mapping[str, str]
    ) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(raw)

    def client(self, **options: Any) -> PanelClient:
        """A client of this panel; without limits unless it is given a turn."""
        return PanelClient(
            self.url, TOKEN, **{"read_timeout_s": 5.0, "total_timeout_s": 10.0, **options}
        )

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
