"""Downloads: by token or session with the permission, and by a signed link for whoever holds it.

The link leads to a page with a button, so that no messenger that looks at links fetches the file.
"""

import asyncio
from typing import Any
from uuid import UUID

from csp.decorators import csp_replace
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.api.docs import refusals
from reports.exports.errors import LinkDead
from reports.exports.models import Export, ExportFormat
from reports.exports.ordering import ADD
from reports.exports.services import export_get, export_open, link_open
from reports.exports.stores import Pieces

_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSONL: "application/x-ndjson"}
_FILE = {
    200: OpenApiResponse(OpenApiTypes.BINARY, description="The file, streamed."),
    **refusals(
        s404="`export_unknown`",
        s409="`export_state`: there is no file yet, or none will come",
        s410="`export_file_gone`: its time is over, or somebody deleted it",
        s503="`export_store_away`",
    ),
}


class AnyNegotiation(BaseContentNegotiation):
    """A file is what it is, whatever the caller accepts; errors are problems."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        del request, format_suffix  # DRF's signature
        return renderers[0], renderers[0].media_type


class ExportDownloadApi(APIView):
    """For those who may export such rows."""

    required_permission = ADD
    content_negotiation_class = AnyNegotiation

    @extend_schema(
        operation_id="exports_download",
        summary="Download the file of an export",
        tags=["exports"],
        responses=_FILE,
    )
    def get(self, request: Request, export_id: UUID) -> StreamingHttpResponse:
        export = export_get(export_id)
        return streamed(request, export, export_open(export, by=request.user))


class LinkedFileApi(APIView):
    """For whoever holds the link."""

    required_permission = None  # the link is the permission
    authentication_classes = ()
    content_negotiation_class = AnyNegotiation

    @extend_schema(exclude=True)
    def get(self, request: Request, token: str) -> StreamingHttpResponse:
        export = link_open(token)
        return streamed(request, export, export_open(export, by=None, is_by_link=True))


@method_decorator(csp_replace({"script-src": ["'none'"], "style-src": ["'self'"]}), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class LinkedPage(View):
    """What the link is about, with a button; or that it opens nothing any more, and what to do."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        export, status = None, 200
        try:
            export = link_open(token)
        except LinkDead:
            status = 410
        page = TemplateResponse(
            request,
            "exports/linked.html",
            {"export": export, "file_url": reverse("export-linked-file", args=[token])},
            status=status,
        )
        page["Referrer-Policy"] = "no-referrer"
        page["X-Robots-Tag"] = "noindex"
        return page


def streamed(request: Request, export: Export, content: Pieces) -> StreamingHttpResponse:
    """The file as an answer, never in memory as a whole. The connection goes back before it begins."""
    if not connection.in_atomic_block:
        connection.close()  # a slow caller may take an hour
    is_awaited = isinstance(request._request, ASGIRequest)  # noqa: SLF001 - DRF's name of it
    response = StreamingHttpResponse(
        _Awaited(content) if is_awaited else content,
        content_type="application/gzip"
        if export.is_gzipped
        else _TYPES[ExportFormat(export.format)],
    )
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    response["Content-Length"] = str(export.bytes)
    response["ETag"] = f'"{export.sha256}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


class _Awaited:
    """Each piece is read in a thread: Django would read a plain iterator into memory first."""

    def __init__(self, content: Pieces) -> None:
        self._content = content
        self.close = content.close  # Django calls it, also when the caller has gone

    def __aiter__(self) -> "_Awaited":
        return self

    async def __anext__(self) -> bytes:
        piece = await asyncio.to_thread(next, self._content, None)
        if piece is None:
            raise StopAsyncIteration
        return piece
