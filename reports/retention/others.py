"""Cleanups that belong to other rooms: they run there, and are shown here, so that one page tells all."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from lib import durations


@dataclass(frozen=True, slots=True)
class Other:
    """A kind of job of another room that removes what is old."""

    kind: str
    what: str
    setting: str
    kept: Callable[[], str]


def _days(name: str) -> Callable[[], str]:
    return lambda: f"{getattr(settings, name)} days"


def _say(words: str) -> Callable[[], str]:
    return lambda: words


OTHERS = (
    Other(
        "jobs.keep_history",
        "Finished jobs and their attempts, by whole days.",
        "JOB_HISTORY_DAYS",
        lambda: f"{settings.JOBS['history_days']} days",
    ),
    Other("jobs.forget_requests", "Answers kept for repeated requests.", "", _say("a day")),
    Other(
        "inbox.trim_retention",
        "Notifications of the inbox, older than their person wishes.",
        "",
        _say("1 to 15 days"),
    ),
    Other(
        "conversations.forget_notices",
        "What became of smart notifications.",
        "NOTICE_RETENTION_DAYS",
        lambda: f"{settings.NOTICE_RETENTION.days} days",
    ),
    Other("telegram.forget_keys", "Keys against doubled messages.", "", _say("until they end")),
    Other(
        "webhooks.clean",
        "Events, deliveries and attempts of outgoing webhooks; secrets that sign no more.",
        "WEBHOOK_RETENTION_DAYS",
        _days("WEBHOOK_RETENTION_DAYS"),
    ),
    Other(
        "broadcasts.forget_ledgers",
        "Who got which broadcast; the broadcast and its numbers stay.",
        "BROADCASTS_LEDGER_DAYS",
        _days("BROADCASTS_LEDGER_DAYS"),
    ),
    Other(
        "subscriptions.forget_notices",
        "Reminders that were decided, and the people of ended sweeps.",
        "LIFECYCLE_RETENTION_DAYS",
        _days("LIFECYCLE_RETENTION_DAYS"),
    ),
    Other(
        "files.forget_old",
        "Batches of the file watch and what became of each file.",
        "FILE_HISTORY_DAYS",
        _days("FILE_HISTORY_DAYS"),
    ),
    Other(
        "monitoring.forget_traffic",
        "Samples, hours and spans of servers.",
        "NODE_SAMPLES_KEPT, NODE_HOURS_KEPT, NODE_STATES_KEPT",
        lambda: ", ".join(
            durations.words(getattr(settings, name))
            for name in ("NODE_SAMPLES_KEPT", "NODE_HOURS_KEPT", "NODE_STATES_KEPT")
        ),
    ),
    Other("monitoring.forget_outages", "Outages of services that ended.", "", _say("180 days")),
    Other(
        "alerts.clean",
        "Alerts that were resolved, their stories, silences that are over.",
        "ALERT_RETENTION_DAYS",
        _days("ALERT_RETENTION_DAYS"),
    ),
    Other(
        "reports.clean_exports",
        "Files of exports, and files that no export speaks of.",
        "EXPORT_KEEP",
        lambda: durations.words(settings.EXPORT_KEEP),
    ),
)
