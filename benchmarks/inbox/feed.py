"""python -m benchmarks.inbox.feed REDIS_SOCKET BOARD PEOPLE FAN WINDOW RATE: PUBLISH to `user:<n>`.

Many commands per write and their answers counted, in about 3 microseconds each: the feeder must
not be what is measured. Ends with an error if a message had no subscriber.
"""

import socket
import sys
import time
from pathlib import Path
from time import monotonic_ns

from benchmarks.inbox.board import board
from benchmarks.inbox.pace import Pace
from benchmarks.inbox.wire import push_frame

PAUSE_S = 0.0005
_ONE = b":1\r\n"  # Redis says how many subscribers got it


def main(redis: str, path: str, people: str, fan: str, window: str, rate: str) -> None:
    """Send until the harness has enough."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(redis)
    pace = Pace(board(Path(path)), int(people), int(fan), window=int(window), rate=float(rate))
    while not pace.over():
        due = pace.due()
        if due:
            line.sendall(b"".join(_publish(person, number) for person, number in due))
            _take_answers(line, len(due))
        else:
            time.sleep(PAUSE_S)


def _publish(person: int, number: int) -> bytes:
    channel = b"user:%d" % person
    text = push_frame(number, monotonic_ns()).encode()
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
        len(channel), channel, len(text), text,
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


if __name__ == "__main__":
    main(*sys.argv[1:])
