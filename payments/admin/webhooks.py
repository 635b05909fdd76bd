"""The log of incoming webhooks in the console: what came, what became of it, replay of one or many."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import number_of, or_404, uuid_of
from jobs.admin.lists import turning
from jobs.admin.many import Many, ManyDeed, ManyPages
from jobs.admin.pages import deed
from jobs.models import AuditEntry
from payments.admin.forms import WebhookFilterForm
from payments.admin.pages import PaymentConsole
from payments.intake.health import hooks_health
from payments.intake.replaying import (
    MOST,
    TAKES,
    WEBHOOK,
    ReplayResult,
    webhook_replay,
    webhooks_bulk,
)
from payments.listing.incoming import WebhookFilter, webhook_get, webhooks_page
from payments.models import IncomingWebhook, Intake
from payments.watching import noticed_lately

OPERATE = "payments.operate_incomingwebhook"
ACTS = 12
QUICK = (
    ("All", ""),
    ("Given up", "state=failed"),
    ("About nothing we know", "state=unmatched"),
    ("Waiting", "state=received"),
    ("Rejected", "state=rejected"),
    ("Processed", "state=processed"),
)
SAID = {
    "started": "It is being processed again.",
    "proved": "Its signature is right; it is being processed.",
    "duplicate": "Its signature is right, but the same event came again since.",
    "rejected": "It cannot be proved or read.",
    "waiting": "It cannot be proved yet: the secret of its source is not set.",
}
DEEDS = {
    "replay": ManyDeed(
        verb="Replay",
        done="processed again",
        takes=frozenset(str(state) for state in TAKES),
        means="Each is processed again by a job. What was done already is not done twice.",
    )
}


def _about(result: ReplayResult) -> dict[str, Any]:
    ids = tuple(result.sample)
    return {"sample": webhooks_page(WebhookFilter(ids=ids)).webhooks if ids else []}


@admin.register(IncomingWebhook)
class IncomingWebhookAdmin(ManyPages, PaymentConsole):
    many = Many(
        noun="webhook",
        permission=OPERATE,
        deeds=DEEDS,
        most=MOST,
        where=WebhookFilter,
        since="received_from",
        until="received_to",
        filter_form=WebhookFilterForm,
        key=number_of,
        bulk=webhooks_bulk,
        about=_about,
    )

    def pages(self) -> list[URLPattern]:
        return [
            *super().pages(),
            self.at("<int:webhook_id>/change/", self.webhook, "change"),
            self.at("<int:webhook_id>/replay/", self.replay, "replay"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The log. One query for its rows, two for how its doors are."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = WebhookFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = webhooks_page(form.where(), after=number_of(request.GET.get("after", "")))
        return self.show(
            request,
            "webhooks",
            "Incoming webhooks",
            hooks=hooks_health(),
            noticed=noticed_lately(),
            quick=[
                (label, query, dict(QueryDict(query).items()) == form.given())
                for label, query in QUICK
            ],
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def webhook(self, request: HttpRequest, webhook_id: int) -> HttpResponse:
        """One delivery: its body with secrets masked, and what became of it."""
        row = or_404(webhook_get, webhook_id)
        is_forged = row.state == Intake.REJECTED and not row.is_valid
        return self.show(
            request,
            "webhook",
            f"Webhook {row.pk}",
            webhook=row,
            may_replay=row.state != Intake.DUPLICATE and not is_forged,
            acts=AuditEntry.objects.filter(object_type=WEBHOOK, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
        )

    @deed(OPERATE)
    def replay(self, request: HttpRequest, webhook_id: int) -> str:
        return SAID[webhook_replay(webhook_id=webhook_id, by=request.user)]


def _found(wanted: str) -> str:
    """The address of what a person searched: a delivery by number, those about a payment or invoice."""
    home = reverse("admin:payments_incomingwebhook_changelist")
    number = number_of(wanted)
    if number is not None and IncomingWebhook.objects.filter(pk=number).exists():
        return reverse("admin:payments_incomingwebhook_change", args=[number])
    payment_id = uuid_of(wanted)
    about = wanted[:80] if payment_id is None else f"payment:{payment_id}"
    if number is not None:
        about = f"invoice:{number}"
    return f"{home}?{urlencode({'about': about})}"
