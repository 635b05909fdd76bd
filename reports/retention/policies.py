"""What is removed, by which kind of job, and for how long it is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from lib import partitions
from reports.retention.errors import PolicyUnknown
from reports.retention.steps.base import Step
from reports.retention.steps.days import Days
from reports.retention.steps.ended import Ended
from reports.retention.steps.keys import Keys
from reports.retention.steps.walk import Walk

RUNS_KEPT = timedelta(days=400)  # what this room itself writes down
# What came in and is dealt with. "received" waits for its job, "failed" for a person.
_DEALT_WITH = "('processed', 'duplicate', 'rejected', 'unmatched')"


@dataclass(frozen=True, slots=True)
class Policy:
    """One kind of cleanup. what: which rows go, never: which do not, however old; kept: in words."""

    kind: str
    title: str
    what: str
    never: str
    setting: str  # its name; "" if there is nothing to set
    kept: Callable[[], str]
    steps: Callable[[], Sequence[Step]]


def policies() -> list[Policy]:
    """All of this room, in the order in which they run in a night."""
    return list(_POLICIES.values())


def policy_get(kind: str) -> Policy:
    """The policy of a kind. Raises PolicyUnknown."""
    if kind not in _POLICIES:
        raise PolicyUnknown(f"no cleanup is called {kind!r}")
    return _POLICIES[kind]


def _days(name: str) -> timedelta:
    return timedelta(days=getattr(settings, name))


def _kept(name: str) -> Callable[[], str]:
    def say() -> str:
        days = getattr(settings, name)
        return f"{days} day{'' if days == 1 else 's'}"

    return say


def _token_steps() -> Sequence[Step]:
    return [
        Ended(
            "knox_authtoken",
            "(t.expiry < %(before)s OR EXISTS (SELECT FROM auth_user u "
            "WHERE u.id = t.user_id AND NOT u.is_active))",
        ),
        Ended("django_session", "t.expire_date < %(before)s"),
    ]


def _audit_steps() -> Sequence[Step]:
    keep = _days("CLEANUP_AUDIT_RETENTION_DAYS")
    return [
        Walk("jobs_auditentry", "at", "t.at < %(before)s", keep),
        Walk("django_admin_log", "action_time", "t.action_time < %(before)s", keep),
    ]


def _webhook_steps() -> Sequence[Step]:
    return [
        Walk(
            "incoming_webhook",
            "received_at",
            f"""t.received_at < %(before)s AND t.state IN {_DEALT_WITH}
            AND NOT EXISTS (SELECT FROM payment_review r
                WHERE r.webhook_id = t.id AND r.resolved_at IS NULL)""",
            _days("CLEANUP_WEBHOOK_RETENTION_DAYS"),
            also="""released AS (
                UPDATE payment_review SET webhook_id = NULL
                WHERE webhook_id = ANY (SELECT id FROM chosen) AND resolved_at IS NOT NULL
            )""",
        )
    ]


def _queue_steps() -> Sequence[Step]:
    return [
        Walk(
            "notification_queue",
            "created_at",
            """t.status IN ('sent', 'failed', 'cancelled')
            AND coalesce(t.sent_at, t.failed_at, t.created_at) < %(before)s
            AND NOT EXISTS (SELECT FROM telegram_dedup d WHERE d.message_id = t.id)""",
            _days("CLEANUP_NOTIFICATION_DAYS"),
        )
    ]


def _cache_steps() -> Sequence[Step]:
    """What the source kept in Redis as history are tables here. Redis last: it may be away."""
    return [
        *(
            Days(each.table, each.kept)
            for each in partitions.partitioned_tables()
            if each.kept is not None and partitions.is_in_days(each.table)
        ),
        Ended("node_hour", "t.hour < %(before)s", settings.NODE_HOURS_KEPT),
        Ended("retention_run", "t.finished_at < %(before)s", RUNS_KEPT),
        Keys(),
    ]


_POLICIES = {
    each.kind: each
    for each in (
        Policy(
            "reports.clean_notification_queue",
            "Telegram messages",
            "Messages that were sent, given up or cancelled, so long after that.",
            "What is not sent yet; what still holds a key against doubles.",
            "CLEANUP_NOTIFICATION_DAYS",
            _kept("CLEANUP_NOTIFICATION_DAYS"),
            _queue_steps,
        ),
        Policy(
            "reports.clean_tokens",
            "Tokens and sessions",
            "API tokens whose time is over or whose account is switched off; sessions that ended.",
            "Tokens without an end of an account that is on.",
            "",
            lambda: "until they end",
            _token_steps,
        ),
        Policy(
            "reports.clean_audit",
            "Audit log",
            "Lines about what people did, here and in Django's own pages.",
            "Nothing is spared; export the log first if it must be kept for longer.",
            "CLEANUP_AUDIT_RETENTION_DAYS",
            _kept("CLEANUP_AUDIT_RETENTION_DAYS"),
            _audit_steps,
        ),
        Policy(
            "reports.clean_webhooks",
            "Incoming webhooks",
            "What providers and the panel sent and what is dealt with.",
            "What waits for its job, what was given up, and what an open question about money names.",
            "CLEANUP_WEBHOOK_RETENTION_DAYS",
            _kept("CLEANUP_WEBHOOK_RETENTION_DAYS"),
            _webhook_steps,
        ),
        Policy(
            "reports.clean_caches",
            "Caches and measurements",
            "Days of measurements, hours of traffic of servers, runs of this page after 400 days; keys in "
            "Redis that nobody would ever take away.",
            "Keys of others, keys that end by themselves, anything of a person who is known.",
            "",
            lambda: "as each table says",
            _cache_steps,
        ),
    )
}
