"""What was asked to change, in order: the proof of who touched whom, when, and how often."""

from collections import Counter, deque
from dataclasses import dataclass
from itertools import count
from typing import Any

KEEP_WRITES = 200_000
IDS_SHOWN = 1000


@dataclass(slots=True)
class Write:
    """One state-changing request that reached the panel's rules, whether its answer arrived or not.

    at is unix seconds of real time, panel_at of the panel's clock. user_ids are those it names.
    """

    number: int
    at: float
    panel_at: float
    call: str
    path: str
    user_ids: tuple[int, ...]
    body: Any
    status: int

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "at": self.at,
            "panel_at": self.panel_at,
            "call": self.call,
            "path": self.path,
            "user_ids": list(self.user_ids[:IDS_SHOWN]),
            "body": self.body,
            "status": self.status,
        }


class WriteBook:
    """A ring of writes, and counters that lose nothing."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._writes: deque[Write] = deque(maxlen=KEEP_WRITES)
        self._numbers = count(1)
        self.counts: Counter[str] = Counter()

    def add(
        self,
        *,
        at: float,
        panel_at: float,
        call: str,
        path: str,
        user_ids: tuple[int, ...],
        body: Any,
        status: int,
    ) -> None:
        number = next(self._numbers)
        self._writes.append(Write(number, at, panel_at, call, path, user_ids, body, status))
        self.counts[call if status < 400 else f"{call}.refused"] += 1

    def read(
        self,
        *,
        user_id: int | None = None,
        call: str | None = None,
        after_id: int | None = None,
        limit: int = 1000,
    ) -> list[Write]:
        """Oldest first; without after_id the newest ones."""
        chosen = [
            write
            for write in self._writes
            if (user_id is None or user_id in write.user_ids)
            and (call is None or write.call == call)
            and (after_id is None or write.number > after_id)
        ]
        return chosen[:limit] if after_id is not None else chosen[max(len(chosen) - limit, 0) :]
