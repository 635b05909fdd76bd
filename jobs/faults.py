"""Places where a test may strike: `fault("after_lease")`.

SWITCHBOARD_FAULTS="after_lease=kill:0.01 before_write=stop:0.005" kills (SIGKILL) or stops (SIGSTOP)
the process there, with that chance. Without the variable, and always when DEBUG is 0, it does nothing.
POINTS are those of the platform; a room names its own with a dot, "activation.dated".
"""

import os
import random
import signal
from collections.abc import Callable

POINTS = ("after_lease", "before_run", "after_run", "before_write", "before_send", "after_send")


def _read(text: str) -> dict[str, tuple[int, float]]:
    strikes: dict[str, tuple[int, float]] = {}
    for part in text.split():
        name, _, rest = part.partition("=")
        action, _, chance = rest.partition(":")
        if not (name in POINTS or "." in name) or action not in {"kill", "stop"}:
            raise ValueError(f"SWITCHBOARD_FAULTS: {part!r} is no fault that we know")
        strikes[name] = (signal.SIGKILL if action == "kill" else signal.SIGSTOP, float(chance or 1))
    return strikes


def _nothing(name: str) -> None:
    pass


def _strike(name: str) -> None:
    if name in _strikes:
        number, chance = _strikes[name]
        if random.random() < chance:  # noqa: S311 - chaos, not secrecy
            os.kill(os.getpid(), number)


_strikes = _read(os.environ.get("SWITCHBOARD_FAULTS", ""))
fault: Callable[[str], None] = (
    _strike if _strikes and os.environ.get("DEBUG", "1") != "0" else _nothing
)
