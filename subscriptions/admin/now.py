"""Subscriptions now: how many there are of whom, whether the mirror is up to date, what waits."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.pages import deed
from jobs.audit import audit_write
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.mirror.tasks import refresh_user_stats, sync_users
from subscriptions.models import SubscriberCount
from subscriptions.screens.now import SPANS, now_get

SYNC = "subscriptions.operate_drift"


@admin.register(SubscriberCount)
class SubscriberCountAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("sync/", self.sync, "sync")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The figures of the last count, with the way to the people behind each."""
        del extra_context
        span = request.GET.get("span", "")
        return self.show(
            request,
            "now",
            "Subscriptions now",
            found=now_get(span),
            spans=list(SPANS),
            span=span if span in SPANS else next(iter(SPANS)),
            may_sync=request.user.has_perm(SYNC),
        )

    @deed(SYNC)
    def sync(self, request: HttpRequest) -> str:
        with transaction.atomic():
            audit_write(request.user, "panel.read", "panel", "users")
            sync_users.enqueue()
            refresh_user_stats.enqueue()
        return "The panel is being read. Load the page again in a moment."
