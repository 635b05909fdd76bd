"""Deliveries in the console: the list, newest first, the page of one, acts on many."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import number_of
from jobs.admin.lists import quick_links, turning
from jobs.admin.many import Many, ManyDeed, ManyPages
from jobs.admin.pages import deed
from jobs.models import AuditEntry
from notifications.webhooks.admin.forms import DeliveryFilterForm, uuid_of
from notifications.webhooks.admin.pages import WebhookConsole, delivery_or_404
from notifications.webhooks.bulk import ACTIONS, MOST, BulkResult, deliveries_bulk
from notifications.webhooks.deliveries import DELIVERY, delivery_cancel, delivery_replay
from notifications.webhooks.listing import DeliveryFilter, deliveries_page
from notifications.webhooks.models import Delivery
from notifications.webhooks.selectors import attempts_of, delivery_explain

# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Waiting", "state=pending"),
    ("Failing now", "state=retrying"),
    ("Given up", "state=failed"),
    ("Delivered", "state=delivered"),
    ("Cancelled", "state=cancelled"),
)
DEEDS = {
    "replay": ManyDeed(
        verb="Replay",
        done="sent again",
        takes={"failed", "cancelled", "delivered"},
        means="Each is due at once, with the same webhook-id and body, and gets all its tries back.",
    ),
    "cancel": ManyDeed(
        verb="Cancel",
        done="cancelled",
        takes={"pending"},
        means="They are not tried again. Each can be brought back by a replay.",
        tone="danger",
    ),
}
assert DEEDS.keys() == ACTIONS.keys()


def _about(result: BulkResult) -> dict[str, Any]:
    page = deliveries_page(DeliveryFilter(ids=tuple(result.sample or [0])))
    return {"sample": page.deliveries}


@admin.register(Delivery)
class DeliveryAdmin(ManyPages, WebhookConsole):
    many = Many(
        noun="webhook",  # in a sentence with a number: "3 webhooks"
        permission="webhooks.operate_delivery",
        deeds=DEEDS,
        most=MOST,
        where=DeliveryFilter,
        filter_form=DeliveryFilterForm,
        key=number_of,
        bulk=deliveries_bulk,
        about=_about,
    )

    def pages(self) -> list[URLPattern]:
        one = "<int:delivery_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.delivery, "change"),
            self.at(f"{one}live/", self.delivery_live, "live"),
            self.at(f"{one}replay/", self.replay, "replay"),
            self.at(f"{one}cancel/", self.cancel, "cancel"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = DeliveryFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = deliveries_page(form.where(), after=number_of(request.GET.get("after", "")))
        return self.show(
            request,
            "deliveries",
            "Webhook deliveries",
            quick=quick_links(form, QUICK),
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def delivery(self, request: HttpRequest, delivery_id: int) -> HttpResponse:
        """The page: why it is where it is, what was sent, what was answered."""
        row = delivery_or_404(delivery_id)
        return self.show(
            request,
            "delivery",
            f"Webhook delivery {row.pk}",
            attempts=attempts_of(row.pk),
            acts=AuditEntry.objects.filter(object_type=DELIVERY, object_id=str(row.pk)).order_by(
                "-id"
            )[:12],
            **_live(row),
        )

    def delivery_live(self, request: HttpRequest, delivery_id: int) -> HttpResponse:
        """The upper part of the page; if the delivery has moved on, the page loads again (htmx)."""
        live = _live(delivery_or_404(delivery_id))
        if request.GET.get("seen") != live["seen"]:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return TemplateResponse(request, "admin/webhooks/_delivery_live.html", live)

    @deed("webhooks.operate_delivery")
    def replay(self, request: HttpRequest, delivery_id: int) -> str:
        delivery_replay(delivery_id=delivery_id, by=request.user)
        return f"Delivery {delivery_id} is due now, with all its tries."

    @deed("webhooks.operate_delivery")
    def cancel(self, request: HttpRequest, delivery_id: int) -> str:
        delivery_cancel(delivery_id=delivery_id, by=request.user)
        return f"Delivery {delivery_id} is cancelled; it is not tried again."


def _live(row: Delivery) -> dict[str, Any]:
    return {
        "delivery": row,
        "explanation": delivery_explain(row),
        "seen": f"{row.state}.{row.attempts}",
        "is_open": row.state == Delivery.State.PENDING,
    }


def _found(wanted: str) -> str:
    """The address of what a person searched: a delivery, the deliveries of an event, or of a type."""
    home = reverse("admin:webhooks_delivery_changelist")
    number = number_of(wanted)
    if number is not None and Delivery.objects.filter(pk=number).exists():
        return reverse("admin:webhooks_delivery_change", args=[number])
    event = uuid_of(wanted)
    query = {"event": str(event)} if event else {"event_type": wanted[:80]}
    return f"{home}?{urlencode(query)}"
