"""Replaying a span of time: first a page that says how many, then the act."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html

from jobs.admin.many import once_make, once_take
from jobs.admin.pages import check
from lib.errors import DomainError
from notifications.webhooks.admin.forms import WHICH, ReplayForm
from notifications.webhooks.admin.pages import WebhookConsole, endpoint_or_404
from notifications.webhooks.deliveries import (
    COUNTED,
    Span,
    Which,
    deliveries_replay_since,
    span_count,
    span_make,
)

ONCE = "webhooks_replay_once"


class EndpointReplays(WebhookConsole):
    def pages(self) -> list[URLPattern]:
        return [self.at("<uuid:endpoint_id>/replay/", self.replay, "replay"), *super().pages()]

    def replay(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """GET: how many it would be. POST: it happens, once per page that was looked at."""
        check(request, "webhooks.operate_delivery")
        endpoint = endpoint_or_404(endpoint_id)
        origin = reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])
        form = ReplayForm(request.POST if request.method == "POST" else request.GET)
        span = _span(form, endpoint_id)
        if request.method == "POST" and span is not None:
            return self._begin(request, span, origin)
        return self.show(
            request,
            "replay",
            f"Replay to {endpoint.title}: look before you act",
            status=200 if span else 422,
            endpoint=endpoint,
            form=form,
            span=span,
            count=span_count(span) if span else 0,
            counted=COUNTED,
            what=dict(WHICH).get(form.data.get("which", ""), ""),
            hidden=[*form.fixed(), ("once", once_make(request, ONCE))] if span else [],
            origin=origin,
        )

    def _begin(self, request: HttpRequest, span: Span, origin: str) -> HttpResponse:
        if not once_take(request, ONCE):
            messages.warning(
                request,
                "Nothing was done: that page was used before, or is out of date. Look again.",
            )
            return HttpResponseRedirect(origin)
        try:
            job_id = deliveries_replay_since(span=span, by=request.user)
        except DomainError as exc:
            messages.error(request, f"Refused: {exc.message}.")
        else:
            address = reverse("admin:jobs_jobrecord_change", args=[job_id])
            messages.success(
                request,
                format_html('They are being sent again: <a href="{}">see the job</a>.', address),
            )
        return HttpResponseRedirect(origin)


def _span(form: ReplayForm, endpoint_id: UUID) -> Span | None:
    """The span of a form; None if it is wrong, which the form then says."""
    if not form.is_valid():
        return None
    given = form.cleaned_data
    try:
        return span_make(
            endpoint_id=endpoint_id,
            since=given["since"],
            until=given["until"],
            which=Which(given["which"]),
        )
    except DomainError as exc:
        form.add_error("since", f"{exc.message[:1].upper()}{exc.message[1:]}.")
        return None
