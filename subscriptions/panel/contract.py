"""What we know of the panel at the other end: its dialect, and whether we may write to it.

Writes are held when the panel speaks another dialect than before (users may be bound to other keys),
or when an answer differs from the contract. Reads go on. What is held is released by a check that found
everything in order, or by a person.
"""

import time
from typing import Protocol

from subscriptions.panel.dialects import Dialect, PanelVersion

FRESH_S = 60.0  # the dialect is asked for again after this, and at once when we are not understood


class Contract(Protocol):
    """What a client has to know and to tell of the panel. Shared by the clients of one panel."""

    def dialect(self) -> Dialect | None:
        """The dialect as last seen, unless that is too long ago."""

    def learn(self, version: PanelVersion) -> None:
        """The panel has told its version. Holds writes when its dialect is not the one before."""

    def differs(self, what: str, *, mixes_up: bool = False) -> None:
        """An answer was not as the contract has it: hold writes. `what` names the field.

        mixes_up: users may be bound to other keys, so that they have to be compared first.
        """

    def held(self) -> str | None:
        """Why writes wait; None: they need not."""


class MemoryContract:
    """A contract of one process: for commands and tests that have no database."""

    def __init__(self) -> None:
        self._seen: tuple[float, Dialect] | None = None
        self._held: str | None = None

    def dialect(self) -> Dialect | None:
        """The dialect as last seen, unless that is too long ago."""
        if self._seen is None or time.monotonic() - self._seen[0] > FRESH_S:
            return None
        return self._seen[1]

    def learn(self, version: PanelVersion) -> None:
        """Hold writes when the dialect is not the one before, or none of ours."""
        if version.dialect is None:
            self._seen, self._held = None, version.problem
            return
        if self._seen is not None and self._seen[1] is not version.dialect:
            self._held = changed(self._seen[1], version)
        self._seen = (time.monotonic(), version.dialect)

    def differs(self, what: str, *, mixes_up: bool = False) -> None:
        """Hold writes."""
        self._held = self._held or what

    def held(self) -> str | None:
        """Why writes wait."""
        return self._held

    def release(self) -> None:
        """Let writes go on."""
        self._held = None


def changed(before: Dialect, version: PanelVersion) -> str:
    """Why writes wait after an upgrade of the panel."""
    return (
        f"it went from {before.value} to version {version.text[:40]}; its users are compared first"
    )
