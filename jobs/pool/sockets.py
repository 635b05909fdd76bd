"""A queue between processes that no killed reader can freeze.

multiprocessing.Queue guards its pipe with a lock; a reader killed while it holds that lock (where it
waits most of its life) stops all others for good (django-q2 #23). A packet socket needs no lock: the
kernel gives each packet whole to one reader.
"""

import pickle
import socket
from typing import Any

MAX_PACKET = 1 << 16


class PacketQueue:
    """The part of multiprocessing.Queue that django-q2 uses, for small items."""

    def __init__(self, *, drop_when_full: bool) -> None:
        self._out, self._in = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._drop = drop_when_full

    def put(self, item: Any, *, must_arrive: bool = False) -> None:
        """Send an item. When nobody reads and the socket is full it waits, or drops the item.

        Only items that are mere hints (work tickets) may be dropped; a text (the STOP of django-q2)
        never is.
        """
        packet = pickle.dumps(item)
        if self._drop and not must_arrive and not isinstance(item, str):
            try:
                self._in.send(packet, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
        else:
            self._in.send(packet)

    def get(self) -> Any:
        """Wait for an item."""
        return pickle.loads(self._out.recv(MAX_PACKET))  # noqa: S301 - from our own processes

    def empty(self) -> bool:
        """Is nothing waiting?"""
        try:
            return not self._out.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True

    def qsize(self) -> int:
        """1 if something is waiting; the exact number is not known."""
        return 0 if self.empty() else 1

    def close(self) -> None:
        """Nothing to do: the sockets end with their processes."""

    def join_thread(self) -> None:
        """Nothing to do: there is no feeder thread."""
