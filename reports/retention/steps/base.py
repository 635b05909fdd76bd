"""What a step of a cleanup is: one table, or one kind of key, from which what is old goes in pieces."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jobs import sql

BATCH = 1_000  # rows of one transaction


@dataclass(frozen=True, slots=True)
class Gone:
    """What one piece removed, or a whole step would. is_estimate: by statistics, not counted."""

    rows: int = 0
    bytes: int = 0
    partitions: tuple[str, ...] = ()
    is_estimate: bool = False


Note = Callable[[Gone], None]


class Step(Protocol):
    """One table, or one kind of key."""

    @property
    def table(self) -> str:
        """As operators know it."""

    def remove(self, now: datetime, note: Note) -> Iterator[None]:
        """Remove a piece and note it in the same transaction, each time the iterator is asked.

        Repeat-safe: begun anew, it goes on with what is left.
        """

    def count(self, now: datetime) -> Gone:
        """What `remove` would take. Changes nothing; reads a bounded part of a big table."""


def bytes_per_row(table: str) -> float:
    """What a row takes on average with its indexes, by the statistics; 0 if there are none yet."""
    found = sql.row(
        """SELECT pg_total_relation_size(c.oid) / c.reltuples::float FROM pg_class c
        WHERE c.oid = to_regclass(%s) AND c.reltuples > 0""",
        [table],
    )
    return float(found[0]) if found else 0.0
