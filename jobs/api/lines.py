"""Log lines as outside workers send them."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from jobs.context import MAX_LOG_CHARS, MAX_LOG_LINES
from jobs.remote.lines import LEVELS, Line
from lib import clock


class LogLineInput(serializers.Serializer[Any]):
    """A line that a worker logged; of the lines of an attempt the latest 200 are kept."""

    message = serializers.CharField(
        allow_blank=True, trim_whitespace=False, help_text=f"Cut at {MAX_LOG_CHARS} characters."
    )
    level = serializers.CharField(required=False, default="INFO", help_text=", ".join(LEVELS))
    at = serializers.DateTimeField(required=False, help_text="Default: now.")

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"message": data} if isinstance(data, str) else data)

    def validate_level(self, value: str) -> str:
        level = value.upper()
        return level if level in LEVELS else "INFO"


def lines_read(logs: list[dict[str, Any]] | None) -> list[Line]:
    """The latest lines, as the domain has them."""
    now = clock.now()
    return [
        Line(_moment(line.get("at"), now).timestamp(), line["level"], line["message"])
        for line in (logs or [])[-MAX_LOG_LINES:]
    ]


def _moment(at: datetime | None, now: datetime) -> datetime:
    """A worker's clock may be wrong by years, and a database cannot keep every year."""
    return at if at is not None and abs((at - now).days) < 366 else now
