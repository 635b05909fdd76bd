"""The services that we stand on and those that we call: as the checks see them, and their breakers."""

from typing import Any

from django.urls import reverse

from jobs.models import Breaker
from monitoring.checks.known import BY_NAME
from monitoring.checks.models import ServiceCheck

MOST = 50

_RANK = {"down": 0, "failing": 1, "up": 2}


def services() -> list[dict[str, Any]]:
    """[{name, title, state: up | failing | down, since, text, latency_ms, link}], the worst first.

    A service that is not configured is not there. One whose breaker is not closed is never shown as up:
    no calls go to it. Two queries.
    """
    home = reverse("admin:checks_servicecheck_changelist")
    lines = {
        check.name: {
            "name": check.name,
            "title": BY_NAME[check.name].title if check.name in BY_NAME else check.name,
            "state": str(check.state),
            "since": check.since,
            "text": _short(check.error) if check.state != "up" else "",
            "latency_ms": check.latency_ms,
            "link": home,
        }
        for check in ServiceCheck.objects.exclude(state="off").order_by("name")[:MOST]
    }
    for breaker in Breaker.objects.exclude(state=Breaker.State.CLOSED).order_by("name")[:MOST]:
        line = lines.setdefault(breaker.name, {"name": breaker.name, "title": breaker.name})
        if line.get("state") == "down":
            continue
        is_open = breaker.state == Breaker.State.OPEN
        line |= {
            "state": "down" if is_open else "failing",
            "since": breaker.changed_at,
            "text": f"its breaker is {breaker.get_state_display()}: {_short(breaker.last_error)}",
            "latency_ms": line.get("latency_ms"),
            "link": f"{reverse('admin:jobs_breaker_changelist')}#breaker-{breaker.name}",
        }
    return sorted(lines.values(), key=lambda line: (_RANK.get(line["state"], 1), line["title"]))


def _short(error: str) -> str:
    return error.strip().rsplit("\n", 1)[-1][:200] or "no reason given"
