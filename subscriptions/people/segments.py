"""Subscribers as segments of broadcasts: status, plan, tag, node, expiry, when they were last seen.

A recipient is the subscriber whose number and name in the panel it has (recipients.py).
"""

from datetime import datetime, timedelta
from typing import Any

from lib import clock
from notifications.broadcasts.audiences.registry import Condition, Operation, condition_register
from subscriptions.filtering import flag_read, moment_read, number_read, words_read
from subscriptions.models import PanelStatus, Plan

HOURS_MOST = 24 * 3650
# Everything about the subscriber behind the recipient r, or nothing if there is none.
_IS = (
    "EXISTS (SELECT FROM subscriber s WHERE s.panel_id = r.user_id AND s.username = r.login"
    " AND s.missing_since IS NULL AND {condition})"
)


def _where(title: str, condition: str) -> Operation:
    return Operation(title, _IS.replace("{condition}", condition))


def _hours(value: Any) -> list[datetime]:
    """From now, on our clock, until so many hours later."""
    hours = number_read(value)
    if hours > HOURS_MOST:
        raise ValueError(f"takes at most {HOURS_MOST} hours")
    return [clock.now(), clock.now() + timedelta(hours=hours)]


def _plans() -> list[tuple[str, str]]:
    return list(Plan.objects.values_list("code", "title"))


def _statuses() -> list[tuple[str, str]]:
    return [(status.value, str(status.label)) for status in PanelStatus]


def register() -> None:
    """Make the conditions known. Repeat-safe."""
    for condition in (
        Condition(
            "subscription", "subscription", "words", words_read(tuple(PanelStatus.values)),
            {
                "is": _where("is", "s.status = ANY ({value}::text[])"),
                "is_not": _where("is not", "s.status <> ALL ({value}::text[])"),
            },
            _statuses,
        ),
        Condition(
            "plan", "plan", "words", words_read(),
            {
                "is": _where(
                    "is",
                    "s.plan_id IN (SELECT id FROM subscription_plan WHERE code = ANY ({value}::text[]))",
                )
            },
            _plans,
        ),
        Condition(
            "panel_tag", "tag in the panel", "words", words_read(),
            {"is": _where("is", "s.tag = ANY ({value}::text[])")},
        ),
        Condition(
            "node", "last node", "words", words_read(),
            {"is": _where("is", "s.last_node_uuid::text = ANY ({value}::text[])")},
        ),
        Condition(
            "auto_renew", "has auto-renewal", "flag", flag_read,
            {"is": _where("is", "s.auto_renew = {value}")},
        ),
        Condition(
            "expires_within_h", "hours until the end", "number", _hours,
            {
                "at_most": _where(
                    "at most",
                    "s.expire_at >= ({value}::timestamptz[])[1]"
                    " AND s.expire_at <= ({value}::timestamptz[])[2]",
                )
            },
        ),
        Condition(
            "expires", "end of the subscription", "moment", moment_read,
            {
                "since": _where("since", "s.expire_at >= {value}"),
                "before": _where("before", "s.expire_at < {value}"),
            },
        ),
        Condition(
            "online", "last online", "moment", moment_read,
            {
                "since": _where("since", "s.online_at >= {value}"),
                "before": _where("not since", "(s.online_at < {value} OR s.online_at IS NULL)"),
            },
        ),
    ):  # fmt: skip
        condition_register(condition)
