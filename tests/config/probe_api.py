"""The addresses of the site, and a few views that do what views of the API may do."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api.pagination import KeysetPagination
from config.urls import urlpatterns as site
from lib.errors import DomainError, InputInvalid, NotFound, TooLarge, Unavailable


class Conflict(DomainError):
    """job 7 is running"""

    code = "job_running"


class Item(serializers.Serializer[Any]):
    kind = serializers.CharField()
    size = serializers.IntegerField(min_value=1)


class Order(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)
    items = Item(many=True, required=False)


class Echo(APIView):
    """Says what it was sent, and who sent it."""

    required_permission = "config.view_ops"
    max_body_bytes = 2000

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.get_username()})

    def post(self, request: Request) -> Response:
        order = Order(data=request.data)
        order.is_valid(raise_exception=True)
        return Response({"user": request.user.get_username(), "order": order.validated_data})


class Raw(APIView):
    """Takes any JSON from anybody."""

    required_permission = None
    max_body_bytes = 2000

    def post(self, request: Request) -> Response:
        return Response({"sent": request.data})


class Trouble(APIView):
    """Raises what its address says."""

    required_permission = None
    RAISES: ClassVar[dict[str, Exception]] = {
        "conflict": Conflict(current_fence=9, status="not yours"),
        "domain-missing": NotFound("There is no job 7."),
        "input": InputInvalid("Nothing to send.", errors=[{"field": "to", "message": "empty"}]),
        "large": TooLarge(),
        "later": Unavailable(retry_after=timedelta(milliseconds=1500)),
        "missing": Http404("secret table"),
        "denied": PermissionDenied("Not yours."),
        "bug": ZeroDivisionError("the inside"),
    }

    def get(self, request: Request, what: str) -> Response:
        raise self.RAISES[what]


class Unnamed(APIView):
    """Forgot to name its permission."""

    def get(self, request: Request) -> Response:
        return Response("never")


class PerMethod(APIView):
    """Another permission per method."""

    required_permission: ClassVar[dict[str, str | None]] = {
        "GET": None,
        "POST": "config.view_ops",
    }

    def get(self, request: Request) -> Response:
        return Response("read")

    def post(self, request: Request) -> Response:
        return Response("written")

    def delete(self, request: Request) -> Response:
        return Response("never")


class Groups(APIView):
    """A list by cursor."""

    required_permission = None

    def get(self, request: Request) -> Response:
        pages = KeysetPagination()
        rows = pages.paginate_queryset(Group.objects.values("id", "name"), request, view=self)
        return pages.get_paginated_response(rows)


def plain_bug(request: HttpRequest) -> HttpResponse:
    """A view outside of DRF that fails."""
    raise ZeroDivisionError("the inside")


urlpatterns = [
    *site,
    path("api/echo", Echo.as_view()),
    path("api/raw", Raw.as_view()),
    path("api/trouble/<slug:what>", Trouble.as_view()),
    path("api/unnamed", Unnamed.as_view()),
    path("api/per-method", PerMethod.as_view()),
    path("api/groups", Groups.as_view()),
    path("api/plain-bug", plain_bug),
    path("plain-bug", plain_bug),
]
