"""The last raw requests of all services. Secrets are masked before they get here."""

from collections import deque
from dataclasses import dataclass
from typing import Any

KEEP_CALLS = 2000
KEEP_BODY_BYTES = 1000


@dataclass(slots=True)
class Call:
    """One request. at is unix seconds; status is None until answered, and if it was cut."""

    service: str
    method: str  # the service's own word for what was called
    http_method: str
    path: str
    at: float
    body: bytes = b""
    status: int | None = None
    duration_ms: float = 0.0
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "method": self.method,
            "http_method": self.http_method,
            "path": self.path,
            "at": self.at,
            "status": self.status,
            "is_cut": self.status is None,
            "duration_ms": self.duration_ms,
            "fault": self.fault,
            "body": self.body.decode(errors="replace"),
        }


class Journal:
    """A ring of calls."""

    def __init__(self, keep: int = KEEP_CALLS) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)

    def add(self, call: Call) -> None:
        call.body = call.body[:KEEP_BODY_BYTES]
        self._calls.append(call)

    def last(self, limit: int, service: str | None = None) -> list[dict[str, Any]]:
        """The newest calls, newest first."""
        chosen = [
            call for call in reversed(self._calls) if service is None or call.service == service
        ]
        return [call.as_json() for call in chosen[:limit]]

    def clear(self, service: str | None = None) -> None:
        kept = [call for call in self._calls if service is not None and call.service != service]
        self._calls.clear()
        self._calls.extend(kept)
