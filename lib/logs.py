"""Log lines as JSON, one object per line, and many of them at once.

Extra fields are given by `extra={...}`; secrets and message texts are never given.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from lib.context import correlation_id

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """{"at", "level", "logger", "message", "correlation_id"?, "error"?, ...extra}"""

    def format(self, record: logging.LogRecord) -> str:
        line = _head(record.created, record.levelname, record.name, record.getMessage())
        cause = correlation_id.get()
        if cause:
            line["correlation_id"] = cause
        for name, value in record.__dict__.items():
            if name not in _PLAIN and not name.startswith("_"):
                line[name] = value
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return dump(line)


class JsonHandler(logging.StreamHandler[Any]):
    """A stream of JSON lines that also takes ready ones, many by one write."""

    def write_lines(self, lines: Sequence[str]) -> None:
        """Write lines that are made already."""
        self.acquire()
        try:
            self.stream.write("\n".join(lines) + "\n")
            self.flush()
        finally:
            self.release()


def log_rows(logger: logging.Logger, rows: Sequence[tuple[int, str, dict[str, Any]]]) -> None:
    """Log (level, message, extra) rows. Same lines as logger.log would make, one write for all.

    Where another handler listens (a test, an operator's own), each row is an ordinary record for it.
    """
    rows = [row for row in rows if logger.isEnabledFor(row[0])]
    if not rows:
        return
    quick, others = [], False
    for handler in _handlers(logger):
        if isinstance(handler, JsonHandler) and isinstance(handler.formatter, JsonFormatter):
            quick.append(handler)
        elif not getattr(handler, "ignores_rows", False):
            others = True
    if others:
        for level, message, extra in rows:
            logger.log(level, message, extra=extra)
        return
    now = time.time()
    heads = {
        (level, message): _head(now, logging.getLevelName(level), logger.name, message)
        for level, message, _ in rows
    }
    lines = [dump(heads[level, message] | extra) for level, message, extra in rows]
    for handler in quick:
        handler.write_lines(lines)


def dump(line: dict[str, Any]) -> str:
    """A line as JSON; what JSON does not know is written as text."""
    return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _head(created: float, level: str, name: str, message: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
    return {"at": at, "level": level, "logger": name, "message": message}


def _handlers(logger: logging.Logger) -> list[logging.Handler]:
    found: list[logging.Handler] = []
    current: logging.Logger | None = logger
    while current is not None:
        found += current.handlers
        current = current.parent if current.propagate else None
    return found
