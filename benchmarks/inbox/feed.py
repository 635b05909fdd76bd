"""python -m benchmarks.inbox.feed REDIS_SOCKET BOARD PEOPLE FAN WINDOW RATE: PUBLISH to `user:<n>`.

Many commands per write and their answers counted, in about 3 microseconds each: the feeder must
not be what is measured. Ends with an error if a message had no subscriber.
"""

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns

from benchmarks.inbox.board import board
from benchmarks.inbox.pace import Pace
from benchmarks.inbox.wire import push_frame

PAUSE_S = 0.0005
_ONE = b":1\r\n"  # Redis says how many subscribers got it

Message = Callable[[int, int], tuple[bytes, bytes]]  # person, number -> channel, payload


def publish_all(redis: str, pace: Pace, message: Message) -> None:
    """Send until it is enough. redis is the path of its socket."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(redis)
    while not pace.over():
        due = pace.due()
        if due:
            line.sendall(b"".join(_command(*message(*each)) for each in due))
            _take_answers(line, len(due))
        else:
            time.sleep(PAUSE_S)


def _command(channel: bytes, payload: bytes) -> bytes:
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
        len(channel), channel, len(payload), payload,
    )  # fmt: skip


def _take_answers(line: socket.socket, count: int) -> None:
    answers = b""
    while len(answers) < count * len(_ONE):
        got = line.recv(65536)
        if not got:
            raise ConnectionError("Redis closed the connection")
        answers += got
    if answers != _ONE * count:
        raise RuntimeError(f"not one subscriber each: {answers[:200]!r}")


def _of_user(person: int, number: int) -> tuple[bytes, bytes]:
    return b"user:%d" % person, push_frame(person, number, monotonic_ns()).encode()


def _main(redis: str, path: str, people: str, fan: str, window: str, rate: str) -> None:
    pace = Pace(board(Path(path)), int(people), int(fan), window=int(window), rate=float(rate))
    publish_all(redis, pace, _of_user)


if __name__ == "__main__":
    _main(*sys.argv[1:])
