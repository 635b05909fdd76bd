"""Payments in the console: the list, newest first, the story of one, rechecking many."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, reverse
from django.utils.http import urlencode

from jobs.admin.asked import number_of, or_404, uuid_of
from jobs.admin.lists import turning
from jobs.admin.many import Many, ManyDeed, ManyPages
from jobs.admin.pages import deed
from jobs.models import AuditEntry
from payments import services
from payments.acts import PAYMENT
from payments.admin.forms import PaymentFilterForm
from payments.admin.pages import PaymentConsole
from payments.bulk import MOST, TAKES, RecheckResult, payments_bulk
from payments.listing.incoming import webhooks_about
from payments.listing.payments import (
    PaymentFilter,
    payment_get,
    payments_page,
    questions_of,
    story_of,
)
from payments.models import Payment, State

OPERATE = "payments.operate_payment"
ENQUEUE = "payments.enqueue_payment"
ACTS = 12
# What people look for most, as a query of the list.
QUICK = (
    ("All", ""),
    ("Waiting for the payer", "state=pending"),
    ("No invoice yet", "state=created"),
    ("Paid", "state=completed"),
    ("Found by poll", "found_by=poll"),
    ("Failed", "state=failed"),
    ("Refunded", "state=refunded"),
)
DEEDS = {
    "recheck": ManyDeed(
        verb="Recheck",
        done="rechecked",
        takes=frozenset(str(state) for state in TAKES),
        means="Crypto Pay is asked about each by a job; what turns out to be paid is completed.",
    )
}


def _about(result: RecheckResult) -> dict[str, Any]:
    ids = tuple(result.sample)
    return {"sample": payments_page(PaymentFilter(ids=ids)).payments if ids else []}


@admin.register(Payment)
class PaymentAdmin(ManyPages, PaymentConsole):
    many = Many(
        noun="payment",
        permission=OPERATE,
        deeds=DEEDS,
        most=MOST,
        where=PaymentFilter,
        filter_form=PaymentFilterForm,
        key=uuid_of,
        bulk=payments_bulk,
        about=_about,
    )

    def pages(self) -> list[URLPattern]:
        one = "<uuid:payment_id>/"
        return [
            *super().pages(),
            self.at(f"{one}change/", self.payment, "change"),
            self.at(f"{one}recheck/", self.recheck, "recheck"),
            self.at(f"{one}make-invoice/", self.make_invoice, "make_invoice"),
            self.at(f"{one}give-up/", self.give_up, "give_up"),
            self.at(f"{one}refund/", self.refund, "refund"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. One query for its rows, however many there are in all."""
        del extra_context
        if wanted := request.GET.get("q", "").strip():
            return HttpResponseRedirect(_found(wanted))
        form = PaymentFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = payments_page(form.where(), after=uuid_of(request.GET.get("after", "")))
        return self.show(
            request,
            "payments",
            "Payments",
            quick=[
                (label, query, dict(QueryDict(query).items()) == form.given())
                for label, query in QUICK
            ],
            page=page,
            **turning(request, form, page.after if page else None),
        )

    def payment(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        """The page of one: what was sold, what came, and everything that happened."""
        row = or_404(payment_get, payment_id)
        about = webhooks_about(f"payment:{row.pk}")
        if row.external_id:
            about += webhooks_about(f"invoice:{row.external_id}")
        return self.show(
            request,
            "payment",
            f"Payment of {row.plan_title}",
            payment=row,
            story=story_of(row.pk),
            questions=questions_of(row.pk),
            webhooks=sorted({each.pk: each for each in about}.values(), key=lambda each: -each.pk),
            acts=AuditEntry.objects.filter(object_type=PAYMENT, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
            is_open=row.state in {State.CREATED, State.PENDING},
            may_recheck=row.external_id is not None or row.state == State.CREATED,
        )

    @deed(OPERATE)
    def recheck(self, request: HttpRequest, payment_id: UUID) -> str:
        services.payment_recheck(payment_id, request.user)
        return "Crypto Pay is being asked. Load the page again in a moment to see what it says."

    @deed(ENQUEUE)
    def make_invoice(self, request: HttpRequest, payment_id: UUID) -> str:
        services.invoice_make_again(payment_id=payment_id, by=request.user)
        return "The invoice is being made; one that exists already is found instead."

    @deed(OPERATE)
    def give_up(self, request: HttpRequest, payment_id: UUID) -> str:
        services.payment_give_up(
            payment_id=payment_id, note=request.POST.get("reason", ""), by=request.user
        )
        return "The payment is given up: its invoice is being deleted, and the payer is told."

    @deed(OPERATE)
    def refund(self, request: HttpRequest, payment_id: UUID) -> str:
        services.payment_refund_note(
            payment_id=payment_id, note=request.POST.get("reason", ""), by=request.user
        )
        return "The payment is marked as refunded. No money was moved by this."


def _found(wanted: str) -> str:
    """The address of what a person searched: a payment by id or invoice, or those of a person."""
    home = reverse("admin:payments_payment_changelist")
    payment_id = uuid_of(wanted)
    if payment_id is None and wanted.lower().removeprefix("#").isalnum():
        number = wanted.removeprefix("#")
        found = Payment.objects.filter(external_id=number[:64]).values_list("pk", flat=True)
        payment_id = found.first()
    if payment_id is not None and Payment.objects.filter(pk=payment_id).exists():
        return reverse("admin:payments_payment_change", args=[payment_id])
    person = number_of(wanted)
    query = {"plan": wanted[:40]} if person is None else {"telegram": str(person)}
    return f"{home}?{urlencode(query)}"
