"""Who watches, and whether anybody does."""

from dataclasses import dataclass

from lib import clock
from monitoring.files.leader import SILENT
from monitoring.files.models import Rule, Watcher

SHOWN = 20


@dataclass(frozen=True, slots=True)
class WatcherView:
    """A watcher. condition: leads, stands by, silent."""

    watcher: Watcher
    condition: str


def watchers_view() -> list[WatcherView]:
    """Watchers that have not said that they stop, the leader first. Those that are silent for a day
    are no longer shown. One query."""
    now = clock.now()
    found = Watcher.objects.filter(stopped_at=None, beat_at__gt=now - 2880 * SILENT)
    views = []
    for watcher in found.order_by("-is_leading", "-beat_at")[:SHOWN]:
        if now - watcher.beat_at > SILENT:
            condition = "silent"
        else:
            condition = "leads" if watcher.is_leading else "stands by"
        views.append(WatcherView(watcher, condition))
    return views


def silence() -> str | None:
    """Why nobody watches, if there is something to watch; None: all is well. Three queries at most."""
    if not Rule.objects.filter(paused_at=None).exists():
        return None
    if Watcher.objects.filter(stopped_at=None, beat_at__gt=clock.now() - SILENT).exists():
        return None
    last = Watcher.objects.order_by("-beat_at").first()
    if last is None:
        return "No watcher has ever run. Start one: python manage.py watch_files"
    how = "was stopped" if last.stopped_at else "went silent"
    return (
        f"The last watcher ({last.pk}) {how} at {last.beat_at:%F %T} UTC. Nothing is lost: the next "
        "one finds what changed meanwhile. Start one: python manage.py watch_files"
    )
