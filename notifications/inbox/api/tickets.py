"""Tickets over REST: a backend asks for one, the person's browser connects with it."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.inbox.tickets import ticket_issue


class TicketInput(serializers.Serializer[Any]):
    """Whose socket it will be."""

    user_id = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
    login = serializers.CharField(min_length=1, max_length=150, trim_whitespace=False)


class TicketOutput(serializers.Serializer[Any]):
    """Opens one connection, until expires_at."""

    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()


class TicketsApi(APIView):
    """Issue a ticket."""

    required_permission = "inbox.issue_ticket"

    @extend_schema(
        summary="Issue a ticket for a WebSocket connection",
        request=TicketInput,
        responses={201: TicketOutput},
        examples=[
            OpenApiExample("Alice", value={"user_id": 1, "login": "alice"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        data = TicketInput(data=request.data)
        data.is_valid(raise_exception=True)
        ticket, expires_at = ticket_issue(**data.validated_data)
        return Response(TicketOutput({"ticket": ticket, "expires_at": expires_at}).data, status=201)


urlpatterns = [path("api/v1/ws-tickets", TicketsApi.as_view())]
