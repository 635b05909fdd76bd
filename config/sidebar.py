"""The sidebar of the admin, as one list. An entry whose page does not exist is left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Entry:
    """A line: the list of a model ("jobs.job"), or a page by the name of its URL.

    permission defaults to viewing the model; icon is a name of Material Symbols.
    """

    title: str
    icon: str
    model: str = ""
    page: str = ""
    permission: str = ""


@dataclass(frozen=True)
class Area:
    """A group of lines under one heading."""

    title: str
    entries: tuple[Entry, ...]


# First what is looked at all day, then what the business is about, then what carries it.
AREAS: tuple[Area, ...] = (
    Area(
        "",
        (
            Entry("Now", "notifications_active", page="admin:index"),
            Entry("Live dashboard", "dashboard", page="ops", permission="nodes.view_node"),
            Entry("Alerts", "crisis_alert", model="alerts.alert"),
        ),
    ),
    Area(
        "Subscriptions",
        (
            Entry("Subscriptions now", "monitoring", model="subscriptions.subscribercount"),
            Entry("Subscribers", "group", model="subscriptions.subscriber"),
            Entry("Money to access", "key", model="subscriptions.accessgap"),
            Entry(
                "Expiring",
                "event_upcoming",
                page="admin:subscriptions_subscriber_expiring",
                permission="subscriptions.view_subscriber",
            ),
            Entry("Reminders and ends", "notification_important", model="subscriptions.notice"),
            Entry("Sweeps", "mop", model="subscriptions.sweep"),
            Entry("Bulk operations", "checklist", model="subscriptions.bulkoperation"),
            Entry("Plans", "sell", model="subscriptions.plan"),
            Entry("Drift", "compare_arrows", model="subscriptions.drift"),
        ),
    ),
    Area(
        "Payments",
        (
            Entry("Payments", "payments", model="payments.payment"),
            Entry("Review desk", "gavel", model="payments.review"),
            Entry("Incoming webhooks", "move_to_inbox", model="payments.incomingwebhook"),
            Entry("Revenue", "bar_chart", model="payments.financialday"),
        ),
    ),
    Area(
        "Monitoring",
        (
            Entry("Silences", "notifications_off", model="alerts.silence"),
            Entry("Servers", "dns", model="nodes.node"),
            Entry(
                "Map of servers",
                "public",
                page="admin:nodes_node_map",
                permission="nodes.view_node",
            ),
            Entry("Services", "monitor_heart", model="checks.servicecheck"),
            Entry("Rules and thresholds", "tune", model="checks.rulestate"),
        ),
    ),
    Area(
        "Broadcasts",
        (
            Entry("Broadcasts", "campaign", model="broadcasts.broadcast"),
            Entry(
                "Write a broadcast",
                "rate_review",
                page="admin:broadcasts_broadcast_compose",
                permission="broadcasts.add_broadcast",
            ),
            Entry("Imported lists", "group_add", model="broadcasts.audience"),
        ),
    ),
    Area(
        "Notifications",
        (
            Entry("Notifications", "notifications", model="inbox.notification"),
            Entry(
                "Write a notification",
                "edit_notifications",
                page="admin:inbox_notification_compose",
                permission="inbox.send_notification",
            ),
            Entry("Recipients", "contacts", model="inbox.recipient"),
            Entry("Pods", "dns", model="inbox.pod"),
            Entry("Connected clients", "devices", model="inbox.client"),
            Entry("Dialogs", "forum", model="conversations.dialog"),
            Entry("Smart notifications", "mark_chat_unread", model="conversations.notice"),
            Entry("Telegram queue", "send", model="telegram.queuedmessage"),
            Entry(
                "Write a message",
                "edit",
                page="admin:telegram_queuedmessage_compose",
                permission="telegram.send_message",
            ),
            Entry("Telegram chats", "chat", model="telegram.chat"),
            Entry(
                "Message templates",
                "chat_paste_go",
                page="admin:telegram_queuedmessage_templates",
                permission="telegram.view_queuedmessage",
            ),
            Entry("Webhook endpoints", "webhook", model="webhooks.endpoint"),
            Entry("Webhook deliveries", "outbox", model="webhooks.delivery"),
        ),
    ),
    Area(
        "Reports",
        (
            Entry("Reports", "summarize", model="statistics.report"),
            Entry("Daily statistics", "calendar_month", model="statistics.dailystat"),
            Entry("Exports", "download", model="exports.export"),
            Entry("Retention", "auto_delete", model="retention.retentionrun"),
        ),
    ),
    Area(
        "Jobs",
        (
            Entry("Queues", "stacks", model="jobs.queue"),
            Entry("Jobs", "work", model="jobs.jobrecord"),
            Entry(
                "Dead letters",
                "skull",
                page="admin:jobs_jobrecord_dead",
                permission="jobs.view_jobrecord",
            ),
            Entry("Workers", "engineering", model="jobs.worker"),
            Entry(
                "Keys",
                "reorder",
                page="admin:jobs_jobrecord_keys",
                permission="jobs.view_jobrecord",
            ),
            Entry("Schedules", "schedule", model="jobs.scheduleentry"),
            Entry("Breakers", "electric_bolt", model="jobs.breaker"),
            Entry("Batches", "inventory_2", model="jobs.batch"),
            Entry("Audit log", "policy", model="jobs.auditentry"),
        ),
    ),
    Area(
        "File watch",
        (
            Entry("File rules", "folder_eye", model="files.rule"),
            Entry("File batches", "inventory", model="files.filebatch"),
            Entry("Watched files", "draft", model="files.watchedfile"),
        ),
    ),
    Area(
        "Access",
        (
            Entry("Users", "person", model="auth.user"),
            Entry("Groups", "group", model="auth.group"),
            Entry("Tokens", "key", model="knox.authtoken"),
        ),
    ),
    Area(
        "Elsewhere",
        (
            Entry("Runbook", "menu_book", page="admin:runbook"),
            Entry("API documentation", "api", page="api-docs"),
            Entry("Start page", "home", page="landing"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The form that UNFOLD["SIDEBAR"]["navigation"] asks for, with what this user may see."""
    groups: list[dict[str, Any]] = []
    everything: list[dict[str, Any]] = []
    for area in AREAS:
        items = list(_items(area, request))
        everything += items
        if items:
            groups.append({"title": area.title, "separator": bool(area.title), "items": items})
    _mark_active(request.path, everything)
    return groups


def _mark_active(path: str, items: list[dict[str, Any]]) -> None:
    """Mark the one line whose page is open, or holds it. unfold alone would mark them all."""
    holding = [item["link"] for item in items if path.startswith(item["link"])]
    longest = max(holding, key=len, default="")
    for item in items:
        item["active"] = item["link"] == longest


def _items(area: Area, request: HttpRequest) -> Iterator[dict[str, Any]]:
    for entry in area.entries:
        link = _link(entry)
        permission = entry.permission or _view_permission(entry)
        if link and (not permission or _may(request.user, permission)):
            yield {"title": entry.title, "icon": entry.icon, "link": link}


def _link(entry: Entry) -> str:
    name = entry.page or f"admin:{entry.model.replace('.', '_')}_changelist"
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _view_permission(entry: Entry) -> str:
    if not entry.model:
        return ""
    app, model = entry.model.split(".")
    return f"{app}.view_{model}"


def _may(user: Any, permission: str) -> bool:
    return bool(
        user.has_perm(permission) or user.has_perm(permission.replace(".view_", ".change_"))
    )
