"""What operators and the console read: who is connected."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from notifications.inbox.api.paging import CURSOR, after_number, after_uuid, limit, limit_read
from notifications.inbox.selectors.listing import clients_page, connected_total, users_page

VIEW = "inbox.view_notification"


class InboxClient(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    user_id = serializers.IntegerField()
    login = serializers.CharField()
    device = serializers.CharField(help_text="As the client calls itself; may be empty.")
    pod_id = serializers.CharField(help_text="The web process that holds the socket.")
    address = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField()
    connected_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()


class InboxClients(serializers.Serializer[Any]):
    clients = InboxClient(many=True)
    total_clients = serializers.IntegerField(help_text="Of all pods, not of this page.")
    next_cursor = serializers.CharField(allow_null=True)


class InboxUser(serializers.Serializer[Any]):
    user_id = serializers.IntegerField()
    login = serializers.CharField()
    connections = serializers.IntegerField()
    devices = serializers.ListField(child=serializers.CharField())
    pods = serializers.ListField(child=serializers.CharField())
    connected_at = serializers.DateTimeField(help_text="Of the oldest connection.")
    unread = serializers.IntegerField()


class InboxUsers(serializers.Serializer[Any]):
    users = InboxUser(many=True)
    total_users = serializers.IntegerField(help_text="Of all pods, not of this page.")
    next_cursor = serializers.CharField(allow_null=True)


class ClientsApi(APIView):
    """Open sockets."""

    required_permission = VIEW

    @extend_schema(
        operation_id="inbox_clients",
        summary="List connected WebSocket clients",
        tags=["inbox"],
        parameters=[limit(1000), CURSOR],
        responses={200: InboxClients, **refusals(s422="`invalid`: limit or cursor")},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = clients_page(limit=limit_read(given, 1000), after=after_uuid(given.get("cursor")))
        clients = [
            {
                "client_id": row.pk,
                "user_id": row.user_id,
                "login": row.login,
                "device": row.device,
                "pod_id": row.pod_id,
                "address": row.address,
                "user_agent": row.user_agent,
                "connected_at": row.connected_at,
                "seen_at": row.seen_at,
            }
            for row in page.items
        ]
        return Response(
            {
                "clients": clients,
                "total_clients": connected_total().clients,
                "next_cursor": page.after and str(page.after),
            }
        )


class UsersApi(APIView):
    """People with open sockets."""

    required_permission = VIEW

    @extend_schema(
        operation_id="inbox_users",
        summary="List people who are connected",
        tags=["inbox"],
        parameters=[limit(1000), CURSOR],
        responses={200: InboxUsers, **refusals(s422="`invalid`: limit or cursor")},
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        page = users_page(limit=limit_read(given, 1000), after=after_number(given.get("cursor")))
        users = [
            {
                "user_id": user.user_id,
                "login": user.login,
                "connections": user.connections,
                "devices": user.devices,
                "pods": user.pods,
                "connected_at": user.connected_at,
                "unread": user.unread,
            }
            for user in page.items
        ]
        return Response(
            {
                "users": users,
                "total_users": connected_total().people,
                "next_cursor": page.after and str(page.after),
            }
        )
