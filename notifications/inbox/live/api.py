"""The same by REST, for a browser that cannot keep a WebSocket: asked every few seconds."""

from time import time
from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.inbox.live import picture


class LiveOutput(serializers.Serializer[Any]):
    """The data of the frames of `/ws/console`, by their names."""

    clients = serializers.DictField()
    pending = serializers.DictField()
    counts = serializers.DictField()
    latency = serializers.DictField()
    tick = serializers.DictField()


class LiveApi(APIView):
    """What the console shows, at this moment."""

    required_permission = "inbox.view_notification"

    @extend_schema(
        operation_id="inbox_live",
        summary="The live console at one moment",
        tags=["inbox"],
        responses={200: LiveOutput, **refusals()},
    )
    def get(self, request: Request) -> Response:
        del request
        return Response(
            {
                "clients": picture.clients(),
                "pending": picture.pending(),
                "counts": picture.counts(),
                "latency": {"points": picture.latency(600)},
                "tick": {"at": time(), "trouble": ""},
            }
        )


urlpatterns = [path("api/v1/admin/live", LiveApi.as_view())]
