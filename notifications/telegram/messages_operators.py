"""Messages to admins and operators as things happen, and the broadcast that an operator writes."""

from datetime import UTC, datetime, timedelta

from notifications.telegram.kinds import (
    Message,
    choice,
    line,
    markup,
    moment,
    number,
    optional,
    prose,
    rows,
    span,
    url,
)

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_ADMIN_URL = "https://example.com/admin/"

OPERATORS = (
    Message(
        "broadcast",
        "A broadcast: the operator's own text, in Telegram HTML, below its title.",
        {"title": optional(line), "body": markup},
        {
            "title": "Maintenance tonight",
            "body": 'From 02:00 to 02:15 UTC. Details <a href="https://example.com/">here</a>.',
        },
    ),
    Message(
        "alert_opened",
        "To the admins: something is wrong.",
        {
            "severity": choice("critical", "warning", "info"),
            "title": line,
            "details": optional(prose),
            "source": optional(line),
            "opened_at": moment,
            "url": optional(url),
        },
        {
            "severity": "critical",
            "title": "Node fra-1 is offline",
            "details": "No answer for 5 minutes.\nLast state: connecting",
            "source": "monitoring.check_nodes",
            "opened_at": _NOON,
            "url": _ADMIN_URL,
        },
    ),
    Message(
        "alert_resolved",
        "To the admins: what was wrong is well again.",
        {
            "title": line,
            "source": optional(line),
            "opened_at": moment,
            "resolved_at": moment,
            "lasted": span,
            "url": optional(url),
        },
        {
            "title": "Node fra-1 is offline",
            "source": "monitoring.check_nodes",
            "opened_at": _NOON,
            "resolved_at": _NOON + timedelta(minutes=65),
            "lasted": timedelta(minutes=65),
            "url": _ADMIN_URL,
        },
    ),
    Message(
        "job_failed",
        "To the admins: a job of a critical kind has given up.",
        {
            "kind": line,
            "error": prose,
            "attempts": number,
            "failed_at": moment,
            "job_id": line,
            "count": optional(number),
            "url": optional(url),
        },
        {
            "kind": "payments.verify_pending",
            "error": "Unreachable: cryptobot: connection refused",
            "attempts": 4,
            "failed_at": _NOON,
            "job_id": "019aab2c-7f00-7000-8000-000000000001",
            "count": 12,
            "url": _ADMIN_URL,
        },
    ),
    Message(
        "bulk_finished",
        "To who started a bulk operation: what came of it.",
        {
            "operation": choice("disable", "enable", "reset_traffic", "delete", "extend"),
            "state": choice("completed", "cancelled"),
            "initiated_by": line,
            "total": number,
            "succeeded": number,
            "failed": number,
            "skipped": number,
            "lasted": span,
            "errors": rows(name=line, reason=line),
            "url": optional(url),
        },
        {
            "operation": "extend",
            "state": "completed",
            "initiated_by": "olga",
            "total": 1250,
            "succeeded": 1247,
            "failed": 2,
            "skipped": 1,
            "lasted": timedelta(seconds=95),
            "errors": [
                {"name": "ivan_p", "reason": "404: no such user in the panel"},
                {"name": "tom & jerry", "reason": "the panel did not answer"},
            ],
            "url": _ADMIN_URL,
        },
    ),
)
