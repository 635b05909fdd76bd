"""A real TCP server whose every byte and every hang-up is written by the test."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Self

from lib.http import HttpDoor

Script = Callable[[socket.socket], None]


class Wire:
    """Accepts connections on a free port; the n-th is played by the n-th script (then the last)."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.accepted = 0
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        for connection in self._open:
            with contextlib.suppress(OSError):  # the script has hung up already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.accepted, len(self._scripts) - 1)]
            self.accepted += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._play, args=(script, connection))
            self._threads.append(thread)
            thread.start()

    def _play(self, script: Script, connection: socket.socket) -> None:
        # OSError: the client hung up in the middle of the script
        with connection, contextlib.suppress(OSError):
            script(connection)


def read_request(connection: socket.socket) -> bytes:
    """The head and body (Content-Length) of the next request; empty when the client hung up."""
    request = b""
    while b"\r\n\r\n" not in request:
        more = connection.recv(65536)
        if not more:
            return request
        request += more
    head, _, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def response(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer that keeps the connection open."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def answering(body: bytes = b"{}", *, status: str = "200 OK", headers: str = "") -> Script:
    """Answer every request of the connection alike."""

    def script(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(response(body, status=status, headers=headers))

    return script


def reset(connection: socket.socket) -> None:
    """Hang up with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silent(connection: socket.socket) -> None:
    """Read what comes and never answer."""
    while connection.recv(65536):
        pass


def door(url: str, **options: Any) -> HttpDoor:
    """A door with short timeouts."""
    return HttpDoor("peer", url, **{"connect_timeout_s": 2.0, "read_timeout_s": 5.0, **options})
