"""Acting on the rows that match a filter: those that one call takes, counted before anything is done."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from lib.errors import InputInvalid

SAMPLE = 20  # keys that a result names
REASONS = 100  # refused rows whose reason it keeps

Row = TypeVar("Row")
Found_co = TypeVar("Found_co", covariant=True)
Key = TypeVar("Key")


class Sliceable(Protocol[Found_co]):
    """A query that has not been asked yet."""

    def __getitem__(self, part: slice) -> Collection[Found_co]: ...


@dataclass(slots=True)
class BulkResult(Generic[Key]):
    """What was done, or in a dry run would be. states: how many of the matched are in each state.

    more: more match than one call takes. refused: {key: why}, the first REASONS of them.
    """

    action: str
    matched: int
    done: int
    states: dict[str, int]
    sample: list[Key]
    dry_run: bool
    more: bool
    refused: dict[Key, str] = field(default_factory=dict)

    def refuse(self, reasons: Mapping[Key, str]) -> None:
        """Keep why some were refused, as far as there is room."""
        room = max(0, REASONS - len(self.refused))
        self.refused.update(list(reasons.items())[:room])


def action_check(action: str, actions: Collection[str]) -> None:
    """Raises InputInvalid for an action that there is not."""
    if action not in actions:
        raise InputInvalid(f"action must be one of {', '.join(actions)}")


def rows_choose(
    query: Sliceable[Row],
    *,
    action: str,
    limit: int,
    most: int,
    dry_run: bool,
    key: Callable[[Row], Key],
    state: Callable[[Row], str],
) -> tuple[list[Row], BulkResult[Key]]:
    """The first rows of a query, at most `limit` and never more than `most`, and a result of none done.

    One query, which locks nothing: each row decides again when it is acted on.
    """
    limit = max(1, min(limit, most))
    found = list(query[: limit + 1])
    chosen = found[:limit]
    return chosen, BulkResult(
        action=action,
        matched=len(chosen),
        done=0,
        states=dict(Counter(map(state, chosen))),
        sample=[key(row) for row in chosen[:SAMPLE]],
        dry_run=dry_run,
        more=len(found) > limit,
    )
