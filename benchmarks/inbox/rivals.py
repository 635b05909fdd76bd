"""The servers that push: started on the same Redis, fed in their own way, one at a time."""

import contextlib
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.bench_venv import ROOT, BenchVenv
from benchmarks.inbox.node import node_folder, node_versions
from benchmarks.processes import Child, wait_until
from benchmarks.servers import Servers

PEERS = ROOT / "benchmarks" / "peers"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Load:
    """What a feeder sends; see benchmarks.inbox.pace."""

    people: int
    fan: int  # sockets per person
    window: int = 0
    rate: float = 0.0

    def arguments(self) -> list[str]:
        """As the feeders take them."""
        return [str(self.people), str(self.fan), str(self.window), str(self.rate)]


class Pusher(Protocol):
    """A product that holds sockets in one process and pushes what is fed to it."""

    @property
    def name(self) -> str:
        """As printed."""

    @property
    def peer(self) -> bool:
        """False for our own."""

    @property
    def greeted(self) -> bool:
        """Whether a connection begins with a `session` frame."""

    @property
    def settings(self) -> str:
        """How it runs, in a sentence or two."""

    def versions(self) -> dict[str, str]:
        """Package to version."""

    def server(self, port: int) -> contextlib.AbstractContextManager[Child]:
        """The server process, ready to take sockets."""

    def paths(self, people: int, fan: int) -> list[str]:
        """One per socket; person 0 first in each round, as `fan` rounds."""

    def feeder(self, load: Load, board: Path) -> contextlib.AbstractContextManager[Child]:
        """The process that sends until the board says stop."""


class NodeWs:
    """A bare `ws` server."""

    name = "Node ws"
    peer = True
    greeted = False
    settings = (
        "One subscription of the official client, a channel per person, the message passed on as it "
        "came; no deflate, no history, no reads. Fed by PUBLISH."
    )

    def __init__(self, servers: Servers, workspace: Path) -> None:
        self._servers = servers
        self._workspace = workspace
        self._folder = node_folder()

    def versions(self) -> dict[str, str]:
        return node_versions(self._folder)

    @contextlib.contextmanager
    def server(self, port: int) -> Iterator[Child]:
        env = {
            "PATH": os.environ["PATH"],
            "NODE_ENV": "production",
            "BENCH_PORT": str(port),
            "BENCH_REDIS_SOCKET": str(self._servers.redis_socket),
        }
        log = self._workspace / "node.log"
        with Child(["node", "server.js"], log=log, env=env, cwd=self._folder) as child:
            wait_listening(child, port)
            yield child

    def paths(self, people: int, fan: int) -> list[str]:
        return [f"/ws?user_id={person}" for _ in range(fan) for person in range(people)]

    @contextlib.contextmanager
    def feeder(self, load: Load, board: Path) -> Iterator[Child]:
        command: list[str | Path] = [
            *(sys.executable, "-m", "benchmarks.inbox.feed", self._servers.redis_socket, board),
            *load.arguments(),
        ]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        with Child(command, log=self._workspace / "feed.log", env=env, cwd=ROOT) as child:
            yield child


class ChannelsGroup:
    """Plain Channels: a consumer per socket, a group per person. layer: pubsub or core."""

    peer = True
    greeted = False

    def __init__(self, layer: str, servers: Servers, venv: BenchVenv, workspace: Path) -> None:
        self.name = f"Channels group_send, {layer} layer"
        self.settings = (
            "The consumer of its guide on uvicorn with uvloop, no deflate (the default is slower), no "
            "history, no reads. Fed by group_send from a process of its own, up to 64 calls gathered."
        )
        self._layer = layer
        self._servers = servers
        self._venv = venv
        self._workspace = workspace
        self._folder = PEERS / "channels_group"

    def versions(self) -> dict[str, str]:
        return self._venv.versions(
            ("channels", "channels_redis", "uvicorn", "uvloop", "websockets")
        )

    @contextlib.contextmanager
    def server(self, port: int) -> Iterator[Child]:
        command: list[str | Path] = [
            *(self._venv.command("uvicorn"), "app:application", "--port", str(port)),
            *("--loop", "uvloop", "--ws", "websockets", "--ws-per-message-deflate", "false"),
            *("--log-level", "warning", "--no-access-log"),
        ]
        with self._child(command, "channels.log") as child:
            wait_listening(child, port)
            yield child

    def paths(self, people: int, fan: int) -> list[str]:
        return [f"/ws?user_id={person}" for _ in range(fan) for person in range(people)]

    @contextlib.contextmanager
    def feeder(self, load: Load, board: Path) -> Iterator[Child]:
        command: list[str | Path] = [
            self._venv.command("python"),
            "feed.py",
            board,
            *load.arguments(),
        ]
        with self._child(command, "channels-feed.log") as child:
            yield child

    def _child(self, command: list[str | Path], log: str) -> Child:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self._folder}",
            "BENCH_LAYER": self._layer,
            "BENCH_REDIS_URL": self._servers.redis_url,
        }
        return Child(command, log=self._workspace / log, env=env, cwd=self._folder)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def wait_listening(child: Child, port: int) -> None:
    """Until the server answers HTTP. Raises BenchFailed if it ends or takes half a minute."""

    def answers() -> bool:
        child.require_alive()
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    wait_until(answers, what="a listening server")
