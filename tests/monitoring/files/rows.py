"""Directories, rules and looks for tests."""

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from lib import clock
from monitoring.files.leader import Self, leader_take
from monitoring.files.look import Look, Memory, Outcome, RuleView, recorder
from monitoring.files.models import CHANGES, FileBatch, FileEvent, Leader, Rule
from monitoring.files.places import Place

ALL = list(CHANGES)


@dataclass(frozen=True)
class Drop:
    """A watched directory, and one that is not."""

    path: Path
    outside: Path

    def write(self, name: str, text: str = "x") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file


def rule_make(drop: Drop, **fields: Any) -> Rule:
    """The smallest valid rule, that has looked at its directory once."""
    now = clock.now()
    given: dict[str, Any] = {
        "name": "drop",
        "directory": str(drop.path),
        "patterns": ["*.csv"],
        "debounce_ms": 50,
        "changes": ALL,
        "action": "telegram",
        "options": {"chat": 500, "language": "en"},
        "created_at": now,
        "updated_at": now,
        "indexed_at": now,
    }
    return Rule.objects.create(**{**given, **fields})


def settle(debounce_ms: int = 50) -> None:
    """Let files grow old enough, by the clock of the disk: wait for a file made now to be so."""
    until = time.time_ns() + (debounce_ms + 20) * 1_000_000
    while time.time_ns() < until:
        os.sched_yield()


def lead() -> int:
    """The fence of a watcher that leads from now on."""
    me = Self.here()
    Leader.objects.update(lease_until=clock.now() - timedelta(hours=1))
    fence = leader_take(me)
    assert fence is not None
    return fence


def look(
    rule: Rule, *paths: str, fence: int | None = None, memory: Memory | None = None
) -> Outcome:
    """Look at these paths, or at everything, as the watch does."""
    rule.refresh_from_db()
    view = RuleView.of(rule)
    mandate = view.mandate(lead() if fence is None else fence)
    with Place(rule.directory) as place:
        found = Look(
            view, place, memory or Memory(),
            record=recorder(mandate, clock.now()), tick=lambda: None,
        )  # fmt: skip
        return found.at(paths) if paths else found.whole()


def events(rule: Rule) -> list[tuple[str, str]]:
    """(change, path) of everything that was recorded, oldest first; a move as "a > b"."""
    return [
        (each.change, f"{each.old_path} > {each.path}" if each.old_path else each.path)
        for each in FileEvent.objects.filter(batch__rule=rule).order_by("id")
    ]


def new_events(rule: Rule) -> list[tuple[str, str]]:
    """What was recorded since the last call, in the order of paths; it is forgotten then."""
    found = sorted(events(rule))
    FileBatch.objects.filter(rule=rule).delete()
    return found
