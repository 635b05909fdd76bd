"""How the console shows moments, states and values. `{% load console %}`."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.models import AuditEntry, Job, JobRecord, Priority, State
from lib import clock, durations

register = template.Library()

AnyJob = Job | JobRecord

# What was done, as a person would say it: "alice replayed job ...". Others are shown as they are.
VERBS = {
    "jobs.cancel": "cancelled",
    "jobs.retry": "told to run now",
    "jobs.replay": "replayed",
    "jobs.discard": "discarded",
    "jobs.reprioritize": "changed the priority of",
    "jobs.bulk_cancel": "cancelled many",
    "jobs.bulk_retry": "told many to run now:",
    "jobs.bulk_replay": "replayed many",
    "jobs.bulk_discard": "discarded many",
    "jobs.bulk_reprioritize": "changed the priority of many",
    "queues.pause": "paused",
    "queues.resume": "resumed",
    "schedules.run": "ran now",
    "schedules.pause": "paused",
    "schedules.resume": "resumed",
    "schedules.retime": "changed the time of",
    "breakers.open": "opened",
    "breakers.close": "closed",
    "workers.run": "set to work again",
    "workers.quiet": "quieted",
    "workers.terminate": "told to stop",
    "telegram.send": "wrote",
    "telegram.retry": "retried",
    "telegram.cancel": "cancelled",
    "telegram.bulk_retry": "retried many",
    "telegram.bulk_cancel": "cancelled many",
    "inbox.send": "sent",
    "inbox.update": "edited",
    "inbox.recall": "recalled",
    "inbox.expire": "expired",
    "inbox.bulk_recall": "recalled many",
    "inbox.bulk_expire": "expired many",
    "inbox.preferences": "changed the preferences of",
    "files.create": "made",
    "files.edit": "edited",
    "files.delete": "deleted",
    "files.pause": "paused",
    "files.resume": "resumed",
    "files.scan": "had looked at all of",
    "files.retry": "retried what failed of",
    "payments.recheck": "had rechecked",
    "payments.bulk_recheck": "had rechecked many",
    "payments.give_up": "gave up",
    "payments.refund_note": "marked as refunded",
    "payments.make_invoice": "had the invoice made of",
    "payments.settle": "accepted the money of",
    "payments.resolve": "answered",
    "payments.replay": "replayed",
    "payments.bulk_replay": "replayed many",
    "subscriber.extended": "extended",
    "subscriber.enabled": "enabled",
    "subscriber.disabled": "disabled",
    "subscriber.traffic_reset": "reset the traffic of",
    "subscriber.edit": "edited",
    "subscriber.reread": "had read back from the panel",
    "subscriptions.bulk_extend": "extended many:",
    "subscriptions.bulk_enable": "enabled many:",
    "subscriptions.bulk_disable": "disabled many:",
    "subscriptions.bulk_reset_traffic": "reset the traffic of many:",
    "subscriptions.bulk_delete": "deleted many:",
    "subscriptions.bulk_import": "imported many:",
    "subscriptions.bulk_pause": "paused",
    "subscriptions.bulk_resume": "resumed",
    "subscriptions.bulk_cancel": "cancelled",
    "subscriptions.bulk_retry_failed": "tried again what failed, as",
    "subscriptions.bulk_undo": "took back an operation, by",
    "activation.retry": "tried again",
    "activation.release": "lifted the hold of",
    "activation.recreate": "created the user anew of",
    "activation.reapply": "wrote again",
    "access.heal": "healed",
    "access.dismiss": "put away",
    "drift.settle": "settled",
    "panel.release": "let writes go on to",
    "plan.create": "made",
    "plan.change": "changed",
    "plan.price": "set a price of",
    "plan.price_end": "ended a price of",
    "webhooks.create": "made",
    "webhooks.change": "changed",
    "webhooks.enable": "enabled",
    "webhooks.disable": "disabled",
    "webhooks.delete": "deleted",
    "webhooks.rotate": "rotated the secret of",
    "webhooks.retire_secret": "retired the old secret of",
    "webhooks.reveal_secret": "looked at the secret of",
    "webhooks.ping": "sent a test to",
    "webhooks.try_now": "told to try now",
    "webhooks.replay": "replayed",
    "webhooks.replay_since": "replayed a span of",
    "webhooks.cancel": "cancelled",
    "webhooks.bulk_replay": "replayed many",
    "webhooks.bulk_cancel": "cancelled many",
    "broadcasts.create": "wrote",
    "broadcasts.edit": "edited",
    "broadcasts.clone": "made, as a copy,",
    "broadcasts.schedule": "changed the start of",
    "broadcasts.send_now": "sent",
    "broadcasts.test_send": "sent a test of",
    "broadcasts.pause": "paused",
    "broadcasts.resume": "resumed",
    "broadcasts.cancel": "cancelled",
    "broadcasts.resend": "resent to the missing",
    "broadcasts.recall_delete": "took back",
    "broadcasts.recall_edit": "corrected where it was delivered",
    "broadcasts.import": "imported",
    "broadcasts.forget_audience": "deleted",
    "conversations.archive": "put away",
    "conversations.unarchive": "brought back",
    "conversations.mute": "switched off notifications of",
    "conversations.unmute": "switched on notifications of",
    "sweeps.begin": "began",
    "sweeps.approve": "approved",
    "sweeps.refuse": "refused",
    "sweeps.stop": "stopped",
    "sweeps.limits": "changed what holds",
}

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
    return VERBS.get(action, action)


@register.simple_tag
def object_link(entry: AuditEntry) -> SafeString | str:
    """The thing that an entry of the audit log is about, with a link if it has a page."""
    name = entry.object_id
    if entry.object_type == "job":
        return format_html("job {}", job_link(name, name))
    if not (address := _address(entry.object_type, name)):
        return f"{entry.object_type} {name}"
    return format_html('{} <a href="{}">{}</a>', entry.object_type, address, name)


# Where things are: on a list of all, on a page of their own, or found by a search.
_LISTED = {"queue": "queue", "schedule": "scheduleentry", "breaker": "breaker", "worker": "worker"}
_PAGES = {
    "telegram message": "telegram_queuedmessage",
    "notification": "inbox_notification",
    "broadcast": "broadcasts_broadcast",
    "audience": "broadcasts_audience",
    "dialog": "conversations_dialog",
    "webhook endpoint": "webhooks_endpoint",
    "webhook delivery": "webhooks_delivery",
    "subscriber": "subscriptions_subscriber",
    "subscriptions.bulkoperation": "subscriptions_bulkoperation",
    "plan": "subscriptions_plan",
    "payment": "payments_payment",
    "payment review": "payments_review",
    "incoming webhook": "payments_incomingwebhook",
    "sweep": "subscriptions_sweep",
    "file rule": "files_rule",
    "file batch": "files_filebatch",
}
_SOUGHT = {"recipient": "inbox_recipient"}


def _address(kind: str, name: str) -> str:
    """The address of a thing; nothing if it has none. The apps above may be missing."""
    try:
        if kind in _LISTED:
            return f"{reverse(f'admin:jobs_{_LISTED[kind]}_changelist')}#{kind}-{quote(name)}"
        if kind in _PAGES:
            return reverse(f"admin:{_PAGES[kind]}_change", args=[name])
        if kind in _SOUGHT:
            return f"{reverse(f'admin:{_SOUGHT[kind]}_changelist')}?q={quote(name)}"
    except NoReverseMatch:
        return ""
    return ""


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


# Acts whose changes are pairs: what it was, and what it became.
_PAIRS = {"inbox.preferences"}


@register.filter
def change(value: Any, action: str = "") -> str:
    """A change that the audit log keeps of an act, in words."""
    if action in _PAIRS and isinstance(value, list) and len(value) == 2:
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
