"""Servers over REST: the list, one, and its traffic. Reading only; acts are for the console."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from lib import clock
from monitoring.nodes.acts import node_get
from monitoring.nodes.api.shapes import (
    BANDWIDTH_EXAMPLE,
    DETAILS_EXAMPLE,
    NODE_EXAMPLE,
    HourShape,
    IncidentShape,
    NodeBandwidth,
    NodeDetails,
    NodesFound,
    NodeShape,
)
from monitoring.nodes.models import Health
from monitoring.nodes.screens.listing import (
    GONE,
    PAGE,
    QUIET,
    SPANS,
    TROUBLED,
    NodeFilter,
    rows_page,
)
from monitoring.nodes.selectors import bandwidth_hours, bandwidth_raw, incidents, uptime
from monitoring.nodes.usual import usual_now
from notifications.webhooks.api.parameters import MOST, moment_read, number_read, refused

TAGS = ["nodes"]
VIEW = "nodes.view_node"
STATES = [*(health.value for health in Health), TROUBLED, QUIET, GONE]
_HISTORY = timedelta(days=30)
_LONGEST = {"hour": timedelta(days=31), "raw": timedelta(days=3)}
_USUAL = {"hour": timedelta(days=1), "raw": timedelta(hours=3)}


class NodesApi(APIView):
    """All servers."""

    required_permission = VIEW

    @extend_schema(
        operation_id="nodes_list",
        summary="List servers",
        description="In the order of the panel; those that it no longer lists only with `state=gone`.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("country", str, description="Two letters."),
            OpenApiParameter("provider", str),
            OpenApiParameter("tag", str),
            OpenApiParameter("q", str, description="Part of name or address."),
            OpenApiParameter("limit", int, description=f"1 to {MOST}, default {PAGE}."),
            OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
        ],
        responses={200: NodesFound, **refusals(s422="`invalid`")},
        examples=[
            OpenApiExample(
                "One", {"items": [NODE_EXAMPLE], "next_cursor": None}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        given = request.query_params
        state = given.get("state", "")
        if state and state not in STATES:
            raise refused("state", f"must be one of {', '.join(STATES)}")
        where = NodeFilter(
            state=state,
            country=given.get("country", ""),
            provider=given.get("provider", ""),
            tag=given.get("tag", ""),
            q=given.get("q", ""),
        )
        rows, after = rows_page(
            where,
            after=given.get("cursor", ""),
            size=number_read(given, "limit", MOST) or PAGE,
        )
        return Response({"items": NodeShape(rows, many=True).data, "next_cursor": after or None})


class NodeApi(APIView):
    """One server."""

    required_permission = VIEW

    @extend_schema(
        operation_id="node_get",
        summary="Look at a server",
        description="With what is usual, its uptime, its settings, and its incidents of 30 days.",
        tags=TAGS,
        responses={200: NodeDetails, **refusals(s404="`node_unknown`")},
        examples=[OpenApiExample("One", DETAILS_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, node_id: UUID) -> Response:
        del request
        row, now = node_get(node_id), clock.now()
        body: dict[str, Any] = dict(NodeShape(row).data)
        body["users_usual"] = usual_now().get(row.pk, (None, None))[0]
        for label, span in SPANS.items():
            name = f"uptime_{label.replace(' ', '')}"
            body[name] = uptime([row.pk], now - span, now).get(row.pk)
        body |= {"config": row.config, "config_hash": row.config_hash}
        found = incidents(now - _HISTORY, now, row.pk)
        body["incidents"] = IncidentShape(found, many=True).data
        return Response(body)


class NodeBandwidthApi(APIView):
    """The traffic of a server."""

    required_permission = VIEW

    @extend_schema(
        operation_id="node_bandwidth",
        summary="Read the traffic of a server",
        description="`hour`: hours, kept for 30 days; `raw`: slots of five minutes, kept for 48 hours. "
        "The oldest first.",
        tags=TAGS,
        parameters=[
            OpenApiParameter("step", str, enum=["hour", "raw"], description="Default `hour`."),
            OpenApiParameter(
                "since", datetime, description="Default: a day ago; three hours for `raw`."
            ),
            OpenApiParameter("until", datetime, description="Default: now."),
        ],
        responses={200: NodeBandwidth, **refusals(s404="`node_unknown`", s422="`invalid`")},
        examples=[OpenApiExample("An hour", BANDWIDTH_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, node_id: UUID) -> Response:
        given = request.query_params
        step = given.get("step") or "hour"
        if step not in _LONGEST:
            raise refused("step", "must be hour or raw")
        until = moment_read(given, "until") or clock.now()
        since = moment_read(given, "since") or until - _USUAL[step]
        if not timedelta(0) < until - since <= _LONGEST[step]:
            raise refused(
                "since", f"must be before until, and at most {_LONGEST[step].days} days before"
            )
        row = node_get(node_id)
        items = _hours(since, until, row.pk) if step == "hour" else _raw(since, until, row.pk)
        body = {"step": step, "since": since, "until": until}
        return Response(
            dict(NodeBandwidth({**body, "items": []}).data)
            | {"items": HourShape(items, many=True).data}
        )


def _hours(since: datetime, until: datetime, node: UUID) -> list[dict[str, Any]]:
    return [
        {
            "at": line.hour,
            "bytes": line.bytes_sum,
            "rate_avg": line.rate_avg,
            "rate_max": line.rate_max,
            "rate_min": line.rate_min,
            "users": line.users_avg,
        }
        for line in bandwidth_hours(since, until, node)
    ]


def _raw(since: datetime, until: datetime, node: UUID) -> list[dict[str, Any]]:
    return [
        {
            "at": line.at,
            "bytes": line.bytes,
            "rate_avg": line.bytes_per_s,
            "rate_max": line.bytes_per_s,
            "rate_min": line.bytes_per_s,
            "users": line.users_online,
        }
        for line in bandwidth_raw(since, until, node)
    ]
