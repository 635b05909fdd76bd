"""What people do to an endpoint by a button."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html

from jobs.admin.pages import deed
from notifications.webhooks import endpoints
from notifications.webhooks.admin.pages import WebhookConsole
from notifications.webhooks.models import Endpoint


class EndpointActs(WebhookConsole):
    def pages(self) -> list[URLPattern]:
        one = "<uuid:endpoint_id>/"
        return [
            *super().pages(),
            self.at(f"{one}enable/", self.enable, "enable"),
            self.at(f"{one}disable/", self.disable, "disable"),
            self.at(f"{one}ping/", self.ping, "ping"),
            self.at(f"{one}try-now/", self.try_now, "try_now"),
            self.at(f"{one}rotate/", self.rotate, "rotate"),
            self.at(f"{one}retire/", self.retire, "retire"),
            self.at(f"{one}secret/", self.secret, "secret"),
            self.at(f"{one}delete/", self.remove, "remove"),
        ]

    @deed("webhooks.change_endpoint")
    def enable(self, request: HttpRequest, endpoint_id: UUID) -> str:
        endpoint = endpoints.endpoint_enable(endpoint_id=endpoint_id, by=request.user)
        return (
            f"{endpoint.title} is enabled; what waited for it goes out. Events that it missed can "
            "be replayed below."
        )

    @deed("webhooks.change_endpoint")
    def disable(self, request: HttpRequest, endpoint_id: UUID) -> str:
        endpoint = endpoints.endpoint_disable(endpoint_id=endpoint_id, by=request.user)
        return f"{endpoint.title} is disabled: nothing is sent to it."

    @deed("webhooks.send_ping")
    def ping(self, request: HttpRequest, endpoint_id: UUID) -> str:
        made = endpoints.endpoint_ping(endpoint_id=endpoint_id, by=request.user)
        address = reverse("admin:webhooks_delivery_change", args=[made.pk])
        return format_html(
            'A test event is on its way: <a href="{}">see what it answers</a>.', address
        )

    @deed("webhooks.operate_delivery")
    def try_now(self, request: HttpRequest, endpoint_id: UUID) -> str:
        endpoints.endpoint_try_now(endpoint_id=endpoint_id, by=request.user)
        return "The next delivery goes out now."

    @deed("webhooks.change_endpoint")
    def rotate(self, request: HttpRequest, endpoint_id: UUID) -> str:
        endpoint = endpoints.endpoint_rotate_secret(endpoint_id=endpoint_id, by=request.user)
        return (
            "There is a new secret. The old one signs beside it until "
            f"{endpoint.old_secret_expires_at:%F %R} UTC; give the receiver the new one before."
        )

    @deed("webhooks.change_endpoint")
    def retire(self, request: HttpRequest, endpoint_id: UUID) -> str:
        endpoints.endpoint_retire_secret(endpoint_id=endpoint_id, by=request.user)
        return "The old secret signs nothing any more."

    @deed("webhooks.reveal_secret")
    def secret(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        """The secrets, on a page of their own; like all of the admin it is kept by no cache."""
        endpoint = endpoints.endpoint_reveal_secret(endpoint_id=endpoint_id, by=request.user)
        return self.show(request, "secret", f"Secrets of {endpoint.title}", endpoint=endpoint)

    @deed("webhooks.delete_endpoint")
    def remove(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        title = Endpoint.objects.filter(pk=endpoint_id).values_list("title", flat=True).first()
        endpoints.endpoint_delete(endpoint_id=endpoint_id, by=request.user)
        self.message_user(request, f"{title} is deleted; its deliveries are being removed.")
        return HttpResponseRedirect(self.home())
