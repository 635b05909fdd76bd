"""Passes over the panel, and the panel itself: which it is, and whether writes to it wait."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse

from jobs.admin.asked import number_of
from jobs.admin.pages import back, deed
from subscriptions.admin.pages import SubscriptionConsole
from subscriptions.mirror.identity import numbers_forget
from subscriptions.mirror.settling import hold_release
from subscriptions.models import MirrorPass, PanelState
from subscriptions.screens.now import passes_page

RELEASE = "subscriptions.operate_panelstate"
FORGET = "FORGET"


@admin.register(MirrorPass)
class MirrorPassAdmin(SubscriptionConsole):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The passes, newest first."""
        del extra_context
        rows, after = passes_page(request.GET.get("after", ""))
        number = number_of(request.GET.get("page", "")) or 1
        following = f"?after={after}&page={number + 1}" if after else ""
        return self.show(
            request,
            "passes",
            "Passes over the panel",
            rows=rows,
            following=following,
            number=number,
        )


@admin.register(PanelState)
class PanelStateAdmin(SubscriptionConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("1/change/", self.changelist_view, "change"),
            self.at("release/", self.release, "release"),
            self.at("forget/", self.forget, "forget"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What is known of the panel, and what holds the writes to it."""
        del extra_context
        return self.show(
            request,
            "panel",
            "The panel",
            panel=PanelState.objects.first(),
            may_release=request.user.has_perm(RELEASE),
        )

    @deed(RELEASE)
    def release(self, request: HttpRequest) -> str | HttpResponse:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, "Refused: say why it is right to write again.")
            return back(request, reverse("admin:subscriptions_panelstate_changelist"))
        released = hold_release(by=request.user, reason=reason)
        return "Writes to the panel go on." if released else "Nothing was held."

    @deed(RELEASE)
    def forget(self, request: HttpRequest) -> str | HttpResponse:
        """POST with the word FORGET: bind everybody anew, for the panel was rebuilt."""
        if request.POST.get("reason", "").strip() != FORGET:
            messages.error(request, f"Refused: type {FORGET} to say that the panel was rebuilt.")
            return back(request, reverse("admin:subscriptions_panelstate_changelist"))
        count = numbers_forget(by=request.user)
        return (
            f"{count} numbers are forgotten; the next pass binds each subscriber by name and link."
        )
