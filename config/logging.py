"""Structured logs: one JSON object per line, with the correlation id of whatever caused it.

Extra fields are given by `extra={...}`; secrets and message texts are never given.
"""

import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

import orjson

from lib.context import correlation_id

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """{"at", "level", "logger", "message", "correlation_id"?, "error"?, ...extra}"""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        cause = correlation_id.get()
        if cause:
            line["correlation_id"] = cause
        for name, value in record.__dict__.items():
            if name not in _PLAIN and not name.startswith("_"):
                line[name] = value
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configure(config: dict[str, Any]) -> None:
    """Apply LOGGING; a handler's failure must not stop the work it reports on."""
    logging.raiseExceptions = False
    logging.config.dictConfig(config)
