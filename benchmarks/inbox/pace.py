"""Which messages are due: as many as the sockets take, or so many a second. Standard library only.

Message k goes to person k modulo `people` as that person's number k // people, so the count of
messages alone says what each socket must have got.
"""

from dataclasses import dataclass, field
from time import monotonic

from benchmarks.inbox.board import RECEIVED, SENT, STOP

Due = list[tuple[int, int]]  # person, number


@dataclass(slots=True)
class Pace:
    """Hands out messages in order. With a rate: on time, whatever comes back. Without one: as long
    as no more than `window` deliveries are under way; each message makes `fan` of them, and each ends
    when it is counted on the board in `counter`."""

    board: "memoryview[int]"
    people: int
    fan: int
    window: int = 0
    rate: float = 0.0  # messages a second
    batch: int = 64
    counter: int = RECEIVED
    begin: int = 0  # the first message
    most: int = 0  # the end of them; 0: when the harness has seen enough
    _sent: int = 0
    _since: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self._sent = self.begin

    def over(self) -> bool:
        """Is it enough?"""
        return bool(self.board[STOP]) or 0 < self.most <= self._sent

    def due(self) -> Due:
        """What is to be sent now; empty when nothing is. What it hands out counts as sent."""
        if self.rate:
            on_time = self.begin + int((monotonic() - self._since) * self.rate)
            count = min(on_time - self._sent, self.batch)
        else:
            under_way = self._sent * self.fan - self.board[self.counter]
            free = (self.window - under_way) // self.fan
            batch = min(self.batch, max(1, self.window // self.fan // 2))
            count = batch if free >= batch else 0  # few at a time would cost more than it moves
        count = min(count, self.people)  # nobody twice in one batch, so its messages may race
        if self.most:
            count = min(count, self.most - self._sent)
        if count <= 0:
            return []
        first = self._sent
        self._sent += count
        self.board[SENT] = self._sent
        return [(k % self.people, k // self.people) for k in range(first, first + count)]


def sent_to(person: int, *, sent: int, people: int) -> int:
    """How many of the first `sent` messages went to one person."""
    return sent // people + (person < sent % people)
