"""What days and reports look like over REST. Amounts are decimal texts: a float would lose digits."""

from typing import Any

from rest_framework import serializers

from reports.statistics.models import DailyStat, Report, ReportKind
from reports.statistics.reporting.telling import report_say

DAY_EXAMPLE: dict[str, Any] = {
    "day": "2026-11-21",
    "is_final": True,
    "computed_at": "2026-11-22T06:00:01Z",
    "users": {
        "active": 1204, "disabled": 31, "expired": 290, "limited": 22, "new": 9, "lost": 14,
        "online_max": 402, "known_by": "counted", "at": "2026-11-21T23:58:00Z",
    },
    "revenue": {"USDT": "61.5"},
    "refunds": {},
    "run_rate": {"USDT": "5110.25"},
    "paying": 1022,
    "payments": {"completed": 14, "failed": 3, "refunded": 0, "payers_new": 4, "payers_again": 10},
    "revenue_by_plan": [
        {
            "code": "month", "name": "Standard, 1 month", "currency": "USDT", "amount": "61.5",
            "refunds": "0", "payments": 14, "refunded": 0,
        }
    ],
    "revenue_by_provider": [
        {
            "code": "cryptobot", "name": "Crypto Pay", "currency": "USDT", "amount": "61.5",
            "refunds": "0", "payments": 14, "refunded": 0,
        }
    ],
    "traffic_bytes": 3298534883328,
    "uptime": 0.9995,
    "nodes": [
        {
            "uuid": "5c1f0a52-4f4e-4b39-9f3d-1f4b3d3d1c11", "name": "fra-1", "bytes": 1099511627776,
            "uptime": 0.9985, "incidents": 1, "down_s": 130,
        }
    ],
    "incidents": [
        {
            "what": "server", "name": "fra-1", "began_at": "2026-11-21T10:00:00+00:00",
            "ended_at": "2026-11-21T10:02:10+00:00", "text": "connection refused",
        }
    ],
    "operations": {"subscriber.extended": 3},
    "top_errors": [{"text": "PanelUnreachable: no answer in time", "count": 12}],
    "errors_count": 12,
    "messages": {"sent": 812, "failed": 4},
    "api_latency_ms": 83.4,
}  # fmt: skip
REPORT_EXAMPLE: dict[str, Any] = {
    "id": 41,
    "kind": "daily",
    "period": "2026-11-21",
    "made_at": "2026-11-22T06:00:02Z",
    "told_at": "2026-11-22T06:00:02Z",
    "skip_reason": "",
}


class UsersOutput(serializers.Serializer[Any]):
    """Users at the end of the day. Null: cannot be told."""

    active = serializers.IntegerField(allow_null=True, source="users_active")
    disabled = serializers.IntegerField(allow_null=True, source="users_disabled")
    expired = serializers.IntegerField(allow_null=True, source="users_expired")
    limited = serializers.IntegerField(allow_null=True, source="users_limited")
    new = serializers.IntegerField(source="users_new")
    lost = serializers.IntegerField(
        allow_null=True,
        source="users_lost",
        help_text="Time over that day, and not renewed by its end.",
    )
    online_max = serializers.IntegerField(allow_null=True, source="users_online_max")
    known_by = serializers.CharField(
        source="users_source",
        help_text="counted: at the end of the day; story: worked out from events; earlier: counted "
        "earlier that day; empty: not known.",
    )
    at = serializers.DateTimeField(allow_null=True, source="users_at")


class PaymentsOutput(serializers.Serializer[Any]):
    """Payments of the day."""

    completed = serializers.IntegerField(source="payments_count")
    failed = serializers.IntegerField(source="payments_failed")
    refunded = serializers.IntegerField(source="payments_refunded")
    payers_new = serializers.IntegerField(help_text="People who paid for the first time.")
    payers_again = serializers.IntegerField()


class MessagesOutput(serializers.Serializer[Any]):
    """Telegram messages of the day."""

    sent = serializers.IntegerField(allow_null=True, source="messages_sent")
    failed = serializers.IntegerField(allow_null=True, source="messages_failed")


class DayOutput(serializers.Serializer[Any]):
    """One UTC day that is over. Null: cannot be told."""

    day = serializers.DateField()
    is_final = serializers.BooleanField(
        help_text="False: computed anew until two hours after its end."
    )
    computed_at = serializers.DateTimeField()
    users = UsersOutput(source="*")
    revenue = serializers.DictField(child=serializers.CharField(), help_text="By currency.")
    refunds = serializers.DictField(child=serializers.CharField())
    run_rate = serializers.DictField(
        child=serializers.CharField(),
        help_text="What those whose paid time covers the end of the day pay per 30 days.",
    )
    paying = serializers.IntegerField()
    payments = PaymentsOutput(source="*")
    revenue_by_plan = serializers.ListField(child=serializers.DictField())
    revenue_by_provider = serializers.ListField(child=serializers.DictField())
    traffic_bytes = serializers.IntegerField(allow_null=True)
    uptime = serializers.FloatField(allow_null=True, help_text="0 to 1; maintenance is left out.")
    nodes = serializers.ListField(child=serializers.DictField())
    incidents = serializers.ListField(child=serializers.DictField())
    operations = serializers.DictField(child=serializers.IntegerField(), allow_null=True)
    top_errors = serializers.ListField(
        child=serializers.DictField(), allow_null=True, source="errors"
    )
    errors_count = serializers.IntegerField(allow_null=True)
    messages = MessagesOutput(source="*")
    api_latency_ms = serializers.FloatField(
        allow_null=True, help_text="How long the panel took to answer, on average."
    )


class ReportOutput(serializers.Serializer[Any]):
    """A report of a day or a week."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=ReportKind.choices)
    period = serializers.DateField(help_text="Its first day.")
    made_at = serializers.DateTimeField()
    told_at = serializers.DateTimeField(allow_null=True, help_text="When it went to the chats.")
    skip_reason = serializers.CharField(help_text="late or nobody: why it did not.")


class ReportDetailOutput(ReportOutput):
    """A report with its figures and its text."""

    payload = serializers.DictField(help_text="Its figures as they were told.")
    texts = serializers.SerializerMethodField(help_text="The messages by language, Telegram HTML.")

    def get_texts(self, report: Report) -> dict[str, list[str]]:
        return {language: report_say(report, language) for language in ("en", "ru")}


class ReportInput(serializers.Serializer[Any]):
    """Which report is to be made."""

    kind = serializers.ChoiceField(choices=ReportKind.choices)
    period = serializers.DateField(help_text="The day, or the Monday of the week.")
    tell = serializers.BooleanField(default=False, help_text="Send it to everybody who gets it.")


class SendInput(serializers.Serializer[Any]):
    """To whom a report goes once more."""

    chat_id = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=-(2**63),
        max_value=2**63 - 1,
        help_text="One chat; without it everybody who gets it.",
    )
    language = serializers.ChoiceField(choices=["en", "ru"], required=False, default="en")


class SentOutput(serializers.Serializer[Any]):
    """To how many chats it goes."""

    chats = serializers.IntegerField()


def day_out(row: DailyStat) -> dict[str, Any]:
    """A day as JSON."""
    return dict(DayOutput(row).data)
