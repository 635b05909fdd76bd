"""Sockets of people: one that remembers all it heard, and one that comes back wherever it can."""

import json
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from tests.processes.pod import Pod
from tests.processes.waiting import until

Person = tuple[int, str]
AWAY = (ConnectionClosed, InvalidHandshake, OSError, EOFError, TimeoutError)


def address(pod: Pod, person: Person | None = None, **query: str) -> str:
    if person is not None:
        query = {"user_id": str(person[0]), "login": person[1], **query}
    return f"ws://127.0.0.1:{pod.port}/ws?{urlencode(query)}"


class Socket:
    """One connection. `frames` is what it heard, in order."""

    def __init__(
        self, pod: Pod, person: Person | None = None, *, origin: str | None = None, **query: str
    ) -> None:
        self.frames: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(
            connect(
                address(pod, person, **query), origin=origin, compression=None, max_size=None,  # type: ignore[arg-type]
                ping_interval=None, open_timeout=30, close_timeout=5,
            )
        )  # fmt: skip
        self._thread = threading.Thread(target=self._hear, daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        try:
            for text in self._connection:
                self.frames.append(json.loads(text))
        except ConnectionClosed:
            pass
        self.close_code = self._connection.protocol.close_code

    def say(self, kind: str, **data: Any) -> None:
        self.say_raw(json.dumps({"type": kind, "data": data}))

    def say_raw(self, message: str | bytes) -> None:
        self._connection.send(message)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of all frames of a type."""
        return [frame["data"] for frame in list(self.frames) if frame["type"] == kind]

    def session(self) -> dict[str, Any]:
        """The first frame."""
        return self.wait_for("session")[0]

    def texts(self) -> list[str]:
        """The messages it was pushed."""
        return [data["message"] for data in self.of("notification.push")]

    def error_codes(self) -> list[str]:
        return [data["code"] for data in self.of("error")]

    def wait_for(self, kind: str, count: int = 1) -> list[dict[str, Any]]:

        def has_come() -> bool:
            is_closed = self.close_code is not None
            found = len(self.of(kind))
            assert found >= count or not is_closed, f"{found} x {kind}, then {self.close_code}"
            return found >= count

        until(has_come, f"{count} x {kind}")
        return self.of(kind)

    def wait_closed(self) -> int | None:
        """The close code."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "the socket was not closed"
        self._stack.close()
        return self.close_code

    def close(self) -> None:
        self._stack.close()
        self._thread.join(30)

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Follower:
    """A client that never gives up: closed, it connects to the next pod and goes on from where it was."""

    def __init__(self, pods: Callable[[], Sequence[Pod]], person: Person) -> None:
        self.person = person
        self.visits: list[list[dict[str, Any]]] = []  # frames by connection
        self._pods = pods
        self._turn = 0
        self._cursor = ""
        self._epoch = ""
        self._is_over = False
        self._connection: Any = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def seen(self) -> set[str]:
        """All messages that it was ever pushed."""
        return {
            frame["data"]["message"]
            for visit in list(self.visits)
            for frame in list(visit)
            if frame["type"] == "notification.push"
        }

    def breaches(self) -> list[str]:
        """What was told twice or out of order within one connection."""
        found = []
        for visit in self.visits:
            pushes = [f["data"] for f in visit if f["type"] == "notification.push"]
            ids = [push["notification_id"] for push in pushes]
            if len(ids) != len(set(ids)):
                found.append(f"{self.person}: twice in one connection")
            session = next((f["data"] for f in visit if f["type"] == "session"), None)
            live = [_position(push["stream_id"]) for push in pushes]
            if session is not None:
                live = live[session["follows"] :]
            if live != sorted(live):
                found.append(f"{self.person}: out of order")
        return found

    def recoveries(self) -> list[bool]:
        """How each connection after the first began."""
        sessions = [f["data"] for visit in self.visits for f in visit if f["type"] == "session"]
        return [session["recovered"] for session in sessions[1:]]

    def end(self) -> None:
        self._is_over = True
        if self._connection is not None:
            self._connection.close()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _follow(self) -> None:
        never = threading.Event()
        while not self._is_over:
            pods = self._pods()
            pod = pods[self._turn % len(pods)]
            query = {"stream_id": self._cursor, "epoch": self._epoch} if self._cursor else {}
            try:
                with connect(
                    address(pod, self.person, **query), compression=None, max_size=None,
                    ping_interval=None, open_timeout=30, close_timeout=1,
                ) as self._connection:  # fmt: skip
                    self._hear()
            except AWAY:
                pass
            self._turn += 1
            never.wait(0.05)

    def _hear(self) -> None:
        visit: list[dict[str, Any]] = []
        self.visits.append(visit)
        left, aim = 0, ""
        for text in self._connection:
            frame = json.loads(text)
            visit.append(frame)
            data = frame["data"]
            if frame["type"] == "session":
                left, aim, self._epoch = data["follows"], data["last_stream_id"], data["epoch"]
            elif left and frame["type"].startswith("notification."):
                left -= 1
            elif frame["type"].startswith("notification."):
                self._move(data.get("position") or data["stream_id"])
            if aim and not left:
                self._move(aim)
                aim = ""

    def _move(self, to: str) -> None:
        if not self._cursor or _position(to) > _position(self._cursor):
            self._cursor = to


class DeafSocket:
    """Connects, and reads nothing until it is asked to."""

    def __init__(self, pod: Pod, person: Person) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", pod.port))
        path = address(pod, person).split(str(pod.port), 1)[1]
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{pod.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b'"session"' not in answer:
            answer += self._socket.recv(4096)

    def close_code(self) -> int:
        """Read to the end; the code of the close frame."""
        tail = b""
        while piece := self._socket.recv(65_536):
            tail = (tail + piece)[-200:]
        self._socket.close()
        at = tail.rindex(b"\x88")
        return int.from_bytes(tail[at + 2 : at + 4], "big")


def _position(stream_id: str) -> int:
    return int(stream_id.split("-", maxsplit=1)[0])
