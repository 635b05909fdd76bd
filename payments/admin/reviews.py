"""The review desk: money that does not fit, what was expected beside what came, and the buttons."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from jobs.admin.asked import number_of, or_404
from jobs.admin.lists import turning
from jobs.admin.pages import deed
from jobs.models import AuditEntry
from lib.errors import InputInvalid
from payments.admin.forms import ResolveForm, ReviewFilterForm
from payments.admin.pages import PaymentConsole
from payments.listing.reviews import review_get, reviews_page
from payments.models import Review, ReviewReason, State
from payments.reviewing import REVIEW, invoice_of
from payments.services import review_resolve

ACTS = 12
# What each question means and what usually helps, for whoever sits at the desk today.
ADVICE = {
    ReviewReason.LATE: "A person had given it up. Accept it, or give the money back.",
    ReviewReason.UNDER: "Ask the payer for the rest, accept it as it is, or give it back.",
    ReviewReason.OVER: "Accept it, and give back what is too much if it is worth it.",
    ReviewReason.OTHER_ASSET: "See what it is worth. Accept it, or give it back.",
    ReviewReason.OTHER_ORDER: "Two orders and one invoice: find out whose money it is first.",
    ReviewReason.UNKNOWN_INVOICE: "Search the payments of this person, and name the one it is for.",
    ReviewReason.TWICE: "Ask the payer: a second period, or money back?",
    ReviewReason.INVOICE_GONE: "Somebody deleted it, or the token is of another app now.",
    ReviewReason.INVOICE_UNSURE: "Try to make the invoice again; one that exists is found.",
}

# The facts of a question in their order, and what people call them.
FACTS = {
    "price": "Price",
    "accepted": "Payable in",
    "paid": "Paid",
    "paid_at": "Paid at",
    "invoice": "Invoice",
    "payload": "Order",
    "state": "Our state",
    "status": "At Crypto Pay",
}


@admin.register(Review)
class ReviewAdmin(PaymentConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("<int:review_id>/change/", self.review, "change"),
            self.at("<int:review_id>/resolve/", self.resolve, "resolve"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The open questions, newest first. One query."""
        del extra_context
        form = ReviewFilterForm(request.GET)
        page = None
        if form.is_valid():
            page = reviews_page(
                is_open=form.cleaned_data["answered"] != "yes",
                reason=form.cleaned_data["reason"],
                after=number_of(request.GET.get("after", "")),
            )
        return self.show(
            request,
            "reviews",
            "Review desk",
            page=page,
            is_answered=form.given().get("answered") == "yes",
            **turning(request, form, page.after if page else None),
        )

    def review(self, request: HttpRequest, review_id: int) -> HttpResponse:
        """One question with all that is known."""
        row = or_404(review_get, review_id)
        expected, came = row.facts.get("expected", {}), row.facts.get("came", {})
        is_paid = row.payment is not None and row.payment.state in {
            State.COMPLETED,
            State.REFUNDED,
        }
        return self.show(
            request,
            "review",
            f"{row}",
            review=row,
            advice=ADVICE.get(ReviewReason(row.reason), ""),
            compared=[
                (label, expected.get(name, ""), came.get(name, ""))
                for name, label in FACTS.items()
                if expected.get(name) or came.get(name)
            ],
            may_settle=invoice_of(row) is not None and not is_paid,
            acts=AuditEntry.objects.filter(object_type=REVIEW, object_id=str(row.pk)).order_by(
                "-id"
            )[:ACTS],
        )

    @deed("payments.operate_review")
    def resolve(self, request: HttpRequest, review_id: int) -> str | HttpResponse:
        form = ResolveForm(request.POST)
        if not form.is_valid():
            field, found = next(iter(form.errors.items()))
            raise InputInvalid(f"{form.fields[field].label or field}: {found[0]}")
        given = form.cleaned_data
        row = review_resolve(
            review_id=review_id,
            resolution=given["resolution"],
            note=given["note"],
            by=request.user,
            payment_id=given["payment"],
        )
        if row.resolved_at is None:
            messages.info(request, "Crypto Pay is asked once more before anything is completed.")
            return "It is being accepted. Load the page again in a moment."
        return "The question is answered."
