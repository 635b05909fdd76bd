"""A real HTTP server that receives webhooks, and answers as a test says."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer. cut: close the connection without a word; wait: only when this is set."""

    status: int = 204
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    cut: bool = False
    wait: threading.Event | None = None


class Receiver:
    """Listens on a port of 127.0.0.1. Per path a list of answers is used up, then the default."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.default: dict[str, Answer] = {}
        self.most_at_once = 0
        self.connections = 0
        self._at_once = 0
        self._answers: dict[str, list[Answer]] = {}
        self._changed = threading.Condition()
        self._held: list[threading.Event] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        # Its end is seen at the next look, which need not be half a second away.
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for event in self._held:
            event.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def answers(self, *answers: Answer, path: str = "/") -> None:
        """Answer the next requests for a path like this, one after the other."""
        self._answers.setdefault(path, []).extend(answers)

    def hangs(self, path: str = "/") -> threading.Event:
        """Answer nothing for this path until the event is set, or the test is over."""
        event = threading.Event()
        self._held.append(event)
        self.default[path] = Answer(wait=event)
        return event

    def paths(self) -> list[str]:
        return [each.path for each in self.received]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds that a request can change."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_S), self.paths()

    def take(self, received: Received) -> Answer:
        with self._changed:
            self.received.append(received)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._changed.notify_all()
            left = self._answers.get(received.path)
            return left.pop(0) if left else self.default.get(received.path, Answer())

    def leave(self) -> None:
        with self._changed:
            self._at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that gave up is no error of a test."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receiver.take(
                Received(urlsplit(self.path).path, dict(self.headers.items()), body)
            )
            try:
                if answer.wait is not None:
                    answer.wait.wait(PATIENCE_S)
                if answer.cut:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in (answer.headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            finally:
                receiver.leave()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
            """Silence."""

    return Handler
