"""What every sandbox service looks like from outside, so that one program can serve them all."""

from typing import Any, Protocol

from starlette.routing import BaseRoute


class ControlInvalid(ValueError):
    """A control request that cannot be carried out; the text says why."""


class Service(Protocol):
    """One outside service. Its control endpoints live below /_sandbox/<name>."""

    name: str

    def routes(self) -> list[BaseRoute]:
        """The service itself, at the paths that its clients know."""

    def control_routes(self) -> list[BaseRoute]:
        """Reading back and setting up, below /_sandbox/<name>."""

    def reset(self) -> None:
        """Back to the state of a fresh start."""

    def limits(self) -> dict[str, Any]:
        """The rate limits in force; empty for a service that has none."""

    def change_limits(self, changes: dict[str, Any]) -> None:
        """Change some of them. Raises ControlInvalid for a name or value that makes no sense."""

    def revision(self) -> int:
        """Differs after every change that a watcher may want to see."""

    def waits(self) -> int:
        """What it still does by itself now: webhooks that are due or under way, queued changes."""

    def kept(self) -> dict[str, Any] | None:
        """What shall outlive a restart, for JSON; None: too much for a file."""

    def restore(self, content: dict[str, Any], *, id_gap: int) -> None:
        """Take in what was kept, before the first call. New numbers begin id_gap above the last one.

        Raises ValueError, KeyError, TypeError or AttributeError for what it cannot read.
        """
