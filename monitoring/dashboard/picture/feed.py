"""The last events."""

from typing import Any

from monitoring.dashboard.models import PlatformEvent

LISTED = 40


def feed() -> list[dict[str, Any]]:
    """[{id, kind, title, link, severity, at}], the newest first. One query."""
    names = ("id", "kind", "title", "link", "severity", "at")
    return list(PlatformEvent.objects.order_by("-id").values(*names)[:LISTED])
