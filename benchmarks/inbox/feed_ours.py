"""python -m benchmarks.inbox.feed_ours HOW BOARD LOAD: send to people 1 ... LOAD.people of our site.

HOW bare: PUBLISH what the publisher would, and nothing else, as the peers are fed. HOW publish: hand
real changes to the publisher, as if they had just been committed; it writes the payload and the
stream in Redis and publishes. HOW accept: the whole way, rows in Postgres first, up to `batch`
people in one call. LOAD is JSON with the fields of Load.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic_ns

import django

from benchmarks.inbox.board import RECEIVED, board
from benchmarks.inbox.feed import Message, publish_all
from benchmarks.inbox.pace import Due, Pace
from benchmarks.inbox.wire import message_text, notification_id, push_frame

PAUSE_S = {"publish": 0.0005, "accept": 0.005}
SOURCE = "bench"


@dataclass(frozen=True, slots=True)
class Load:
    """What to send; see benchmarks.inbox.pace."""

    people: int
    fan: int = 1
    window: int = 0
    rate: float = 0.0
    counter: int = RECEIVED
    batch: int = 64
    first: int = 0  # number of each person's first message
    begin: int = 0  # message to begin with
    most: int = 0  # message to end before; 0: until the board says stop


def main(how: str, path: str, load: Load) -> None:
    """Send until it is enough."""
    django.setup()
    pace = Pace(
        board(Path(path)), load.people, load.fan, window=load.window, rate=load.rate,
        counter=load.counter, batch=load.batch, begin=load.begin, most=load.most,
    )  # fmt: skip
    if how == "bare":
        from django.conf import settings

        redis = settings.REDIS_URL.removeprefix("unix://")
        publish_all(redis, pace, _published(load))
        return
    send = _publishing(load) if how == "publish" else _accepting(load)
    while not pace.over():
        due = pace.due()
        if due:
            send(due)
        else:
            time.sleep(PAUSE_S[how])
    from notifications.inbox import publisher

    if not publisher.flush(timeout_s=60):
        raise RuntimeError("the publisher does not come to an end")


def _accepting(load: Load) -> Callable[[Due], None]:
    from notifications.inbox.accept import accept
    from notifications.inbox.shapes import Draft

    def send(due: Due) -> None:
        by_number: dict[int, list[tuple[int, str]]] = {}
        for person, number in due:
            by_number.setdefault(number, []).append((person + 1, f"u{person + 1}"))
        for number, targets in by_number.items():
            text = message_text(load.first + number, monotonic_ns())
            accept([Draft(targets=targets, message=text, source=SOURCE)])

    return send


class Chains:
    """People of whom nothing was ever committed, and the positions of what they are told."""

    def __init__(self, people: int) -> None:
        from notifications.inbox.recipients import recipients_find

        self.targets = [(person + 1, f"u{person + 1}") for person in range(people)]
        found = recipients_find(self.targets)
        self.ids = [found[target] for target in self.targets]
        self._last = [0] * people

    def next(self, person: int) -> tuple[int, int]:
        """(the position of the next change, the one before)."""
        prev = self._last[person]
        position = self._last[person] = max(prev + 1, time.time_ns() // 1_000_000)
        return position, prev


def _published(load: Load) -> Message:
    from notifications.inbox import keys

    chains = Chains(load.people)
    channels = [keys.channel(recipient_id).encode() for recipient_id in chains.ids]

    def message(person: int, number: int) -> tuple[bytes, bytes]:
        position, prev = chains.next(person)
        head = f"{position} {prev} n {notification_id(person, number)}\n"
        return channels[person], (head + push_frame(person, number, monotonic_ns())).encode()

    return message


def _publishing(load: Load) -> Callable[[Due], None]:
    from lib.ids import uuid7
    from notifications.inbox import publisher
    from notifications.inbox.changes import change_new
    from notifications.inbox.shapes import Change, Row

    chains = Chains(load.people)

    def change(person: int, number: int) -> Change:
        now = datetime.now(UTC)
        position, prev = chains.next(person)
        row = Row(
            recipient_id=chains.ids[person], notification_id=str(uuid7()), position=position,
            version=position, state="unread", message=message_text(number, monotonic_ns()),
            source=SOURCE, created_at=now, expires_at=now, priority=2, edition=1,
        )  # fmt: skip
        return change_new(row, chains.targets[person], prev=prev, ttl_s=900)

    def send(due: Due) -> None:
        publisher.publish([change(person, number) for person, number in due])

    return send


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Load(**json.loads(sys.argv[3])))
