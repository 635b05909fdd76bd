"""Ports for servers that a test starts, kills and starts again."""

import random
import socket
from pathlib import Path

_LOWEST = 20_000
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")  # to whoever connects (ip(7))


def free_port() -> int:
    """A port of this machine on which nobody listens.

    The kernel gives it to no connection that goes out. One of those could take it before the server
    does, or while it is away: a client that knocks at a dead port of the range may even meet itself.
    """
    end = max(int(_GIVEN.read_text().split()[0]), _LOWEST + 1_000)
    while True:
        port = random.randrange(_LOWEST, end)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
