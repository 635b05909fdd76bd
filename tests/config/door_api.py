"""A view that may be called through the door, beside those of probe_api."""

from typing import Any, ClassVar

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.config.probe_api import Trouble
from tests.config.probe_api import urlpatterns as site


class Opened(APIView):
    """Says what it was sent and by which way, or raises what it was told to."""

    required_permission = "config.view_ops"
    max_body_bytes = 2000
    ways: ClassVar[list[str]] = []

    def post(self, request: Request) -> Response:
        self.ways.append("site")
        return _answer(request)

    async def post_awaited(self, request: Request) -> Response:
        self.ways.append("door")
        return _answer(request)


def _answer(request: Request) -> Response:
    body: Any = request.data
    if isinstance(body, dict) and "raise" in body:
        raise Trouble.RAISES[body["raise"]]
    return Response(
        {"user": request.user.get_username(), "sent": body}, status=202, headers={"X-Own": "1"}
    )


urlpatterns = [*site, path("api/opened", Opened.as_view())]
