"""What the names of rules and keys mean for telling: what explains what, and what is about Telegram.

Any room may use a rule that is not named here.
"""

from django.db.models import Q

ATTENTION = (
    "attention"  # jobs.alerts.attention: it announces itself, and nobody says that it is over
)
BREAKER = "breaker_open"
SERVICE = "service_down"
SCHEDULE = "schedule_quarantined"
PANEL = "panel_unreachable"
UPLINK = "uplink_down"  # explains whatever is outside
EXTERNAL = "external"  # by the webhook of Alertmanager, where nothing names a rule

TELEGRAM = "telegram"
TOKEN = "telegram.token"  # noqa: S105 - the group of attention, when Telegram refuses the token

# Whoever raises these writes its own lines into the feed of the dashboard, together for many.
OWN_LINES = frozenset({"node_offline", "node_flapping"})
# Nothing of these lies behind our way out, so a cut of it explains none of them.
LOCAL_RULES = frozenset(
    {
        UPLINK, SCHEDULE, "worker_memory", "queue_depth", "error_rate", "schedule_overdue", "disk_space",
        "long_transaction", "blocked_sessions", "postgres_connections", "redis_memory", "partitions",
    }
)  # fmt: skip
LOCAL_SERVICES = frozenset({"postgres", "redis"})
# The rooms raise these, and end all of them that they do not find: an alert from outside that bore such a
# name would be ended before anybody is told of it.
OWN = LOCAL_RULES | {
    ATTENTION, BREAKER, SERVICE, PANEL, "node_offline", "node_flapping", "node_silent", "paid_not_served",
    "payment_failures", "panel_token",
}  # fmt: skip


# Two alerts that say the same of a service: a look at it failed, and so did those who needed it. Whichever
# came first explains the other, so people hear of it once.
_OF_SERVICES = (SERVICE, PANEL)
TWINS = tuple((BREAKER, rule) for rule in _OF_SERVICES) + tuple(
    (rule, BREAKER) for rule in _OF_SERVICES
)


def twins_of(rule: str) -> tuple[str, ...]:
    """The rules whose alert of the same key says the same as one of this rule."""
    return tuple(other for one, other in TWINS if one == rule)


def is_outside(rule: str, key: str) -> bool:
    """Whether a cut of our way out may explain it."""
    return rule not in LOCAL_RULES and not (rule == SERVICE and key in LOCAL_SERVICES)


def outside() -> Q:
    """The same, as a condition."""
    return ~Q(rule__in=LOCAL_RULES) & ~Q(rule=SERVICE, key__in=LOCAL_SERVICES)


def is_about_telegram(rule: str, key: str) -> bool:
    """Whether it says that Telegram cannot be reached: then it cannot be told there."""
    return (rule in {SERVICE, BREAKER} and key == TELEGRAM) or (rule == ATTENTION and key == TOKEN)


def about_telegram() -> Q:
    """The same, as a condition."""
    return Q(rule__in=(SERVICE, BREAKER), key=TELEGRAM) | Q(rule=ATTENTION, key=TOKEN)
