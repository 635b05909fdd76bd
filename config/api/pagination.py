"""Lists by cursor: newest first, a page costs the same wherever it lies, and nothing is counted."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from lib.errors import InputInvalid

if TYPE_CHECKING:  # this module is named in the settings that rest_framework.views loads
    from rest_framework.views import APIView

MOST = 1000
_WHOLE = re.compile(r"[0-9]{1,4}", re.ASCII)


class KeysetPagination(BasePagination):
    """`?limit=1..1000&cursor=...` -> {"items": [...], "next_cursor": "..." | null}

    Ordered by one unique column that grows with time (an id by uuid7), newest first. Rows that
    appear meanwhile are newer than the first page, so no page skips or repeats a row. A cursor
    holds the key of the last row seen and nothing else. Raises InputInvalid for what does not fit.
    """

    key = "id"
    usual_limit = 50

    def paginate_queryset(
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        del view  # DRF's signature
        limit = self._limit(request)
        rows = queryset.order_by(f"-{self.key}")
        cursor = request.query_params.get("cursor")
        if cursor:
            rows = rows.filter(**{f"{self.key}__lt": self._decoded(queryset, cursor)})
        page = list(rows[: limit + 1])
        self.next_cursor = self._encoded(page[limit - 1]) if len(page) > limit else None
        return page[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next_cursor": self.next_cursor})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {"items": schema, "next_cursor": {"type": "string", "nullable": True}},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        del view  # DRF's signature
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": self.usual_limit}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "`next_cursor` of the page before.",
                "schema": {"type": "string"},
            },
        ]

    def _limit(self, request: Request) -> int:
        raw = request.query_params.get("limit") or str(self.usual_limit)
        if not _WHOLE.fullmatch(raw) or not 1 <= int(raw) <= MOST:
            raise _refused("limit", f"must be a whole number from 1 to {MOST}")
        return int(raw)

    def _decoded(self, queryset: QuerySet[Any], cursor: str) -> Any:
        try:
            text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
            value = queryset.model._meta.get_field(self.key).to_python(text)
        except (binascii.Error, ValueError, ValidationError, FieldDoesNotExist):
            raise _refused("cursor", "is not one that we gave") from None
        return value

    def _encoded(self, row: Any) -> str:
        value = row[self.key] if isinstance(row, dict) else getattr(row, self.key)
        return urlsafe_b64encode(str(value).encode("ascii")).decode().rstrip("=")


def _refused(field: str, why: str) -> InputInvalid:
    return InputInvalid(f"{field} {why}.", errors=[{"field": field, "message": why}])
