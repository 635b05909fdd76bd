"""How the console shows moments, states and values. `{% load console %}`."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.auditing import address_of, is_pair, verb_of
from jobs.models import AuditEntry, Job, JobRecord, Priority, State
from lib import clock, durations

register = template.Library()

AnyJob = Job | JobRecord

# What a badge says, beside its colour, which is a class of static/jobs/console.css.
CONDITIONS = {
    "scheduled": "waits for its time",
    "available": "due, waits for a worker",
    "blocked": "waits behind other jobs of its key",
    "retrying": "failed before, will be tried again",
    "running": "a worker is at it",
    "cancelling": "a worker is at it and was told to stop",
    "completed": "finished well",
    "cancelled": "finished, was not needed",
    "dead": "gave up, waits for a person",
    "put away": "gave up, and a person dealt with it",
}


def condition(job: AnyJob) -> str:
    """The state of a job as people see it: one of CONDITIONS."""
    if job.state == State.RUNNING:
        return "cancelling" if job.cancel_requested_at else "running"
    if job.state == State.DEAD:
        return "put away" if getattr(job, "finished_at", None) else "dead"
    if job.state not in {State.SCHEDULED, State.AVAILABLE}:
        return str(job.state)
    if job.blocked:
        return "blocked"
    if job.attempt:
        return "retrying"
    return "scheduled" if job.run_at > clock.now() else "available"


@register.simple_tag
def badge(job: AnyJob) -> SafeString:
    """The state of a job in its colour."""
    return state_badge(condition(job))


@register.simple_tag
def state_badge(name: str) -> SafeString:
    """A word in the colour of that state."""
    return format_html(
        '<span class="badge is-{}" title="{}">{}</span>',
        name.replace(" ", "-").replace("_", "-"),
        CONDITIONS.get(name, ""),
        name.replace("_", " "),
    )


def ago(moment: datetime) -> str:
    """How far away a moment is: "3 min ago", "in 2 h". static/jobs/console.js says the same."""
    seconds = round((clock.now() - moment).total_seconds())
    away = abs(seconds)
    if away < 3:
        return "now"
    for limit, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if away < limit:
            words = f"{away // size} {unit}"
            break
    else:
        words = f"{away // 86_400} d"
    return f"{words} ago" if seconds > 0 else f"in {words}"


@register.simple_tag
def moment(value: datetime | None, form: str = "ago") -> SafeString | str:
    """A moment: how far away, with the time in UTC as its title; "full": both in words."""
    if value is None:
        return "never"
    utc = f"{value:%Y-%m-%d %H:%M:%S} UTC"
    tag = format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>', value.isoformat(), utc, ago(value)
    )
    if form != "full":
        return tag
    return format_html('<span class="utc">{}</span> <span class="soft">({})</span>', utc, tag)


@register.simple_tag
def when(job: AnyJob) -> SafeString:
    """The moment that matters in the state of a job."""
    finished = getattr(job, "finished_at", None)
    if finished:
        return format_html("{}", moment(finished))
    if job.state == State.RUNNING and job.started_at:
        return format_html("since {}", moment(job.started_at))
    if job.state == State.DEAD:
        return format_html("{}", moment(job.started_at or job.created_at))
    if job.run_at > clock.now():
        return format_html("{}", moment(job.run_at))
    return format_html("due {}", moment(job.run_at))


@register.simple_tag
def job_link(job_id: UUID | str | None, text: str = "") -> SafeString | str:
    """A link to the page of a job; without a text its short id: the end, where ids differ."""
    if not job_id:
        return ""
    if not _is_uuid(job_id):
        return text or str(job_id)
    address = reverse("admin:jobs_jobrecord_change", args=[job_id])
    words = text or f"…{str(job_id)[-8:]}"
    return format_html('<a class="id" href="{}" title="{}">{}</a>', address, job_id, words)


def _is_uuid(value: UUID | str) -> bool:
    try:
        return isinstance(value, UUID) or str(UUID(value)) == value
    except ValueError:
        return False


@register.filter
def verb(action: str) -> str:
    """What an entry of the audit log says was done, in the past tense."""
    return verb_of(action)


@register.simple_tag
def object_link(entry: AuditEntry) -> SafeString | str:
    """The thing that an entry of the audit log is about, with a link if it has a page."""
    name = entry.object_id
    if entry.object_type == "job":
        return format_html("job {}", job_link(name, name))
    if not (address := address_of(entry.object_type, name)):
        return f"{entry.object_type} {name}"
    return format_html('{} <a href="{}">{}</a>', entry.object_type, address, name)


@register.filter
def span(value: timedelta | float | None) -> str:
    """A span of time in short words; numbers are seconds."""
    if value is None:
        return ""
    return durations.words(value if isinstance(value, timedelta) else timedelta(seconds=value))


@register.filter
def pretty(value: Any) -> str:
    """A JSON value over several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def change(value: Any, action: str = "") -> str:
    """A change that the audit log keeps of an act, in words."""
    if is_pair(action) and isinstance(value, list) and len(value) == 2:
        return " → ".join(_listed(part) for part in value)
    return _listed(value)


def _listed(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return ", ".join(str(part) for part in parts if part not in (None, "")) or "nothing"


@register.filter
def last_line(text: str | None) -> str:
    """The last line: of a traceback what was raised."""
    return (text or "").strip().rsplit("\n", 1)[-1]


@register.filter
def lines(text: str | None) -> int:
    """How many lines a text has."""
    return len((text or "").strip().splitlines())


@register.filter
def capped(count: int, most: int = 10_000) -> str:
    """A count that was stopped at a limit: "10,000+" beyond it."""
    return f"{most:,}+" if count > most else f"{count:,}"


@register.filter
def megabytes(count: int) -> str:
    """A size in MB."""
    return f"{count / 1_048_576:.0f} MB" if count else "unknown"


@register.filter
def priority_word(value: int) -> str:
    """The name of a priority."""
    return Priority(value).label if value in Priority.values else str(value)


@register.filter
def unix(value: float) -> datetime | None:
    """A moment from the unix seconds of a log line."""
    return datetime.fromtimestamp(value, tz=clock.now().tzinfo)
