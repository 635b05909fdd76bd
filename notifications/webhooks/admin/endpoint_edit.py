"""Making and changing an endpoint."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse

from jobs.admin.pages import check
from lib.errors import DomainError
from notifications.webhooks.admin.forms import EndpointForm, initial_of
from notifications.webhooks.admin.pages import WebhookConsole, endpoint_or_404
from notifications.webhooks.endpoints import endpoint_change, endpoint_create
from notifications.webhooks.errors import AddressInvalid
from notifications.webhooks.models import Endpoint


class EndpointEditing(WebhookConsole):
    def pages(self) -> list[URLPattern]:
        return [
            self.at("new/", self.new, "new"),
            self.at("<uuid:endpoint_id>/edit/", self.edit, "edit"),
            *super().pages(),
        ]

    def new(self, request: HttpRequest) -> HttpResponse:
        """The form of a new one, and its making."""
        check(request, "webhooks.add_endpoint")
        form = EndpointForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            made = _saved(request, form)
            if made is not None:
                messages.success(
                    request,
                    f"{made.title} is enabled. Send a test event to see whether it answers.",
                )
                return _to(made)
        return self._form(request, "New webhook endpoint", form, self.home())

    def edit(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """The form of one, and its change."""
        check(request, "webhooks.change_endpoint")
        endpoint = endpoint_or_404(endpoint_id)
        form = EndpointForm(request.POST or None, initial=initial_of(endpoint))
        if request.method == "POST" and form.is_valid():
            changed = _saved(request, form, endpoint)
            if changed is not None:
                messages.success(request, f"{changed.title} is changed.")
                return _to(changed)
        address = reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])
        return self._form(request, f"Change {endpoint.title}", form, address)

    def _form(
        self, request: HttpRequest, title: str, form: EndpointForm, origin: str
    ) -> HttpResponse:
        status = 422 if form.errors else 200
        return self.show(request, "endpoint_form", title, status, form=form, origin=origin)


def _saved(
    request: HttpRequest, form: EndpointForm, endpoint: Endpoint | None = None
) -> Endpoint | None:
    """What was made or changed; None if the service refuses, which the form then says."""
    changes: dict[str, Any] = form.changes()
    try:
        if endpoint is None:
            return endpoint_create(**changes, by=request.user)
        return endpoint_change(endpoint_id=endpoint.pk, by=request.user, **changes)
    except DomainError as exc:
        field = "url" if isinstance(exc, AddressInvalid) else None
        form.add_error(field, f"{exc.message[:1].upper()}{exc.message[1:]}.")
        return None


def _to(endpoint: Endpoint) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:webhooks_endpoint_change", args=[endpoint.pk]))
