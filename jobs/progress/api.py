"""The same by REST: one look, an act, and a ticket for a socket. Paths of `/api/v1/progress`."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs.api.docs import refusals
from jobs.progress.registry import Kind, operation_act, operation_find
from jobs.progress.snapshot import Progress, snapshot_body, whole_rate
from jobs.progress.viewers import ticket_issue

_ID = "019ab0de-7c1e-7b0a-8f00-3d4c5b6a7988"


class ReasonShape(serializers.Serializer[Any]):
    text = serializers.CharField()
    count = serializers.IntegerField()
    fate = serializers.CharField(help_text="failed, skipped or unknown.")


class PartShape(serializers.Serializer[Any]):
    title = serializers.CharField()
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    unknown = serializers.IntegerField()


class ProgressShape(serializers.Serializer[Any]):
    """One look at a long operation. What is open is total less the four counts."""

    id = serializers.UUIDField()
    kind = serializers.CharField(help_text="What it is: broadcast, batch.")
    title = serializers.CharField()
    state = serializers.CharField(help_text="In the words of its kind.")
    stage = serializers.CharField(help_text="waiting, running, paused or over.")
    total = serializers.IntegerField(allow_null=True, help_text="null until it is counted.")
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    unknown = serializers.IntegerField(help_text="Sent perhaps: the answer got lost.")
    percent = serializers.FloatField(allow_null=True)
    rate_per_s = serializers.FloatField(allow_null=True)
    eta_s = serializers.IntegerField(allow_null=True, help_text="Seconds to go at this rate.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    reasons = ReasonShape(many=True, help_text="Why not, most frequent first.")
    parts = PartShape(many=True, help_text="Shares, such as channels.")
    actions = serializers.ListField(
        child=serializers.CharField(), help_text="Acts that are possible now and that you may do."
    )
    unit = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True, help_text="The page that says more.")


class TicketShape(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_at = serializers.DateTimeField()


_EXAMPLE = OpenApiExample(
    "A broadcast that is being sent",
    {
        "id": _ID, "kind": "broadcast", "title": "Maintenance on Sunday", "state": "sending",
        "stage": "running", "total": 12000, "done": 5400, "failed": 31, "skipped": 210,
        "unknown": 0, "percent": 47.0, "rate_per_s": 29.4, "eta_s": 216,
        "started_at": "2026-11-22T08:00:00Z", "finished_at": None,
        "reasons": [
            {"text": "No Telegram account is known.", "count": 210, "fate": "skipped"},
            {"text": "The person has blocked the bot.", "count": 31, "fate": "failed"},
        ],
        "parts": [], "actions": ["pause", "cancel"], "unit": "messages", "note": "",
        "link": f"/admin/broadcasts/broadcast/{_ID}/change/",
    },
    response_only=True,
)  # fmt: skip


class OperationView(APIView):
    """A view of one operation: who may look, its kind says. `found` is the look that decided."""

    found: tuple[Kind, Progress]

    @property
    def required_permission(self) -> str:
        """The permission of the kind of operation; for a stranger nothing is looked up."""
        if not self.request.user.is_authenticated:
            return "to be known"
        self.found = operation_find(self.kwargs["operation_id"])
        return self.found[0].permission

    def look(self, kind: Kind, progress: Progress) -> Response:
        """The answer: with the acts that this caller may do."""
        rate_per_s, eta_s = whole_rate(progress)
        body = snapshot_body(progress, rate_per_s=rate_per_s, eta_s=eta_s)
        user = self.request.user
        body["actions"] = [
            name
            for name in progress.actions
            if name in kind.acts and user.has_perm(kind.acts[name].permission)
        ]
        return Response(body)


class ProgressApi(OperationView):
    """How far an operation is. `/ws/progress/<id>` tells the same on each change."""

    @extend_schema(
        operation_id="progress_get",
        summary="How far a long operation is",
        tags=["progress"],
        responses={200: ProgressShape, **refusals(s404="`operation_unknown`")},
        examples=[_EXAMPLE],
    )
    def get(self, request: Request, operation_id: UUID) -> Response:
        del request, operation_id
        return self.look(*self.found)


class ProgressActApi(OperationView):
    """Pause, resume, cancel, or what else the kind of operation knows."""

    @extend_schema(
        operation_id="progress_act",
        summary="Do one of its actions to a long operation",
        tags=["progress"],
        request=None,
        responses={
            200: ProgressShape,
            **refusals(
                s403="`permission_denied`: the act takes a permission of its own",
                s404="`operation_unknown`",
                s409="`act_impossible`, or what the operation itself says",
            ),
        },
        examples=[_EXAMPLE],
    )
    def post(self, request: Request, operation_id: UUID, act: str) -> Response:
        progress = operation_act(operation_id, act, by=request.user)
        return self.look(self.found[0], progress)


class ProgressTicketApi(OperationView):
    """For a browser that has no session here."""

    @extend_schema(
        operation_id="progress_ticket",
        summary="A ticket that opens /ws/progress/<id>?ticket=... for a minute",
        tags=["progress"],
        request=None,
        responses={201: TicketShape, **refusals(s404="`operation_unknown`")},
    )
    def post(self, request: Request, operation_id: UUID) -> Response:
        ticket, expires_at = ticket_issue(operation_id=operation_id, user_id=request.user.pk or 0)
        return Response({"ticket": ticket, "expires_at": expires_at}, status=201)
