"""What a person sees of the processes: everything goes to a log file each, what matters to the screen.

A process writes JSON lines (config/logging.py). On the screen they become `time name LEVEL sentence`,
from WARNING on, or from LOG_LEVEL on if that is set. Lines that are no JSON (a traceback of the
interpreter, a program that cannot start) are shown as they are.
"""

import json
import logging
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

LONGEST_LOG_BYTES = 20_000_000  # then the file is moved to NAME.log.1
_COLOURS = {"WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
_DIM = "2"
# Fields of a line that tell a person more than its sentence does.
_TOLD = ("kind", "schedule", "queue", "worker", "job_id", "attempt", "reason")
_NAMES = ("kind", "schedule", "breaker")


class Terminal:
    """level is the least that is shown; of what begins with a word of quiet nothing is shown: such
    kinds, schedules and breakers fail on purpose."""

    def __init__(
        self, screen: TextIO, logs: Path, *, level: int, quiet: tuple[str, ...] = (), colour: bool
    ) -> None:
        self._screen = screen
        self._logs = logs
        self._level = level
        self._quiet = quiet
        self._colour = colour
        self._files: dict[str, TextIO] = {}

    def write(self, name: str, line: str) -> None:
        """Keep a line of a process, and show it if it matters."""
        self._keep(name, line)
        entry = _parsed(line)
        if entry is None:
            if line.strip():
                self._show(name, "", line, datetime.now().astimezone())
            return
        level = str(entry.get("level", "INFO"))
        if logging.getLevelNamesMapping().get(level, 0) >= self._level and not self._is_quiet(
            entry
        ):
            at = datetime.fromisoformat(entry["at"]).astimezone()
            self._show(name, level, _sentence(entry), at)
            if "error" in entry:
                self._print(str(entry["error"]))

    def say(self, sentence: str) -> None:
        """Show a remark of `make run` itself."""
        self._print(sentence)

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def tail(self, name: str, count: int = 15) -> str:
        """The last lines of a process."""
        self._files[name].flush()
        return "\n".join(
            (self._logs / f"{name}.log").read_text(errors="replace").split("\n")[-count:]
        )

    def _keep(self, name: str, line: str) -> None:
        file = self._files.get(name)
        if file is None or file.tell() > LONGEST_LOG_BYTES:
            file = self._files[name] = self._open(name)
        file.write(line + "\n")

    def _open(self, name: str) -> TextIO:
        if name in self._files:
            self._files[name].close()
        path = self._logs / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LONGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("a", buffering=1)

    def _is_quiet(self, entry: dict[str, Any]) -> bool:
        return any(str(entry.get(name, "")).startswith(self._quiet) for name in _NAMES)

    def _show(self, name: str, level: str, text: str, at: datetime) -> None:
        prefix = self._painted(f"{at:%H:%M:%S} {name:<7}", _DIM)
        word = self._painted(f"{level} ", _COLOURS.get(level, _DIM)) if level else ""
        self._print(f"{prefix} {word}{text}")

    def _painted(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour else text

    def _print(self, text: str) -> None:
        with suppress(OSError):  # the terminal was closed; the log files go on
            print(text, file=self._screen, flush=True)


def _parsed(line: str) -> dict[str, Any] | None:
    if not line.startswith('{"at":'):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _sentence(entry: dict[str, Any]) -> str:
    told = " ".join(f"{name}={entry[name]}" for name in _TOLD if entry.get(name) is not None)
    return f"{entry.get('message', '')} {told}".strip()
