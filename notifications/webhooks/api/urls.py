"""Addresses of the webhooks."""

from typing import Any, cast

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.views import APIView

from notifications.webhooks.api import deliveries, endpoints

_ENDPOINT = "api/v1/webhooks/endpoints/<uuid:endpoint_id>"
_DELIVERY = "api/v1/webhooks/deliveries/<int:delivery_id>"


def _act(route: str, view: type[APIView], act: str, operation_id: str, summary: str) -> URLPattern:
    """One address per act, each under a name of its own in the OpenAPI document."""
    named: Any = type(f"{view.__name__}_{operation_id}", (view,), {"__doc__": ""})
    schema = extend_schema(operation_id=operation_id, summary=summary)
    extend_schema_view(post=schema)(named)
    return path(f"{route}/actions/{act}", cast(type[APIView], named).as_view(act=act))


urlpatterns: list[URLPattern] = [
    path("api/v1/webhooks/event-types", endpoints.EventTypesApi.as_view()),
    path("api/v1/webhooks/endpoints", endpoints.EndpointsApi.as_view()),
    path(_ENDPOINT, endpoints.EndpointApi.as_view()),
    path(f"{_ENDPOINT}/secret", endpoints.EndpointSecretApi.as_view()),
    path(f"{_ENDPOINT}/actions/rotate", endpoints.EndpointRotateApi.as_view()),
    path(f"{_ENDPOINT}/actions/retire-secret", endpoints.EndpointRetireApi.as_view()),
    path(f"{_ENDPOINT}/actions/ping", endpoints.EndpointPingApi.as_view()),
    path(f"{_ENDPOINT}/actions/try-now", endpoints.EndpointTryNowApi.as_view()),
    path(f"{_ENDPOINT}/actions/replay", deliveries.EndpointReplayApi.as_view()),
    _act(
        _ENDPOINT,
        endpoints.EndpointSwitchApi,
        "enable",
        "webhook_endpoint_enable",
        "Switch a webhook endpoint on",
    ),
    _act(
        _ENDPOINT,
        endpoints.EndpointSwitchApi,
        "disable",
        "webhook_endpoint_disable",
        "Switch a webhook endpoint off",
    ),
    path("api/v1/webhooks/deliveries", deliveries.DeliveriesApi.as_view()),
    path(_DELIVERY, deliveries.DeliveryApi.as_view()),
    path(f"{_DELIVERY}/attempts", deliveries.DeliveryAttemptsApi.as_view()),
    _act(
        _DELIVERY,
        deliveries.DeliveryActApi,
        "replay",
        "webhook_delivery_replay",
        "Send a webhook delivery again",
    ),
    _act(
        _DELIVERY,
        deliveries.DeliveryActApi,
        "cancel",
        "webhook_delivery_cancel",
        "Do not try a webhook delivery again",
    ),
]
