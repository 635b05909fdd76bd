"""JSON in and out by orjson, and the limits of what comes in."""

from datetime import timedelta
from decimal import Decimal
from typing import IO, Any

import orjson
from django.conf import settings
from django.utils.functional import Promise
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from lib.errors import TooLarge


def dumps(value: Any) -> bytes:
    """JSON of what views answer: moments in UTC with Z, decimals as text, spans in seconds."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Promise):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 (RFC 8259, 8.1)

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Any = None,
    ) -> bytes:
        return b"" if data is None else dumps(data)


class OrjsonParser(BaseParser):
    """Reads at most `view.max_body_bytes` (default and ceiling: DATA_UPLOAD_MAX_MEMORY_SIZE).

    Raises TooLarge (413) and ParseError (400): not JSON, not UTF-8, or a NUL character in a text,
    which PostgreSQL cannot store.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        context = parser_context or {}
        most = _most_bytes(context.get("view"))
        request = context.get("request")
        announced = int(request.META.get("CONTENT_LENGTH") or 0) if request is not None else 0
        body = b"" if announced > most else stream.read(most + 1)
        if announced > most or len(body) > most:
            raise TooLarge(f"The body may have {most} bytes at most.", limit_bytes=most)
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise ParseError(f"The body is not JSON: {exc}.") from None
        if b"\\u0000" in body and _holds_nul(value):
            raise ParseError("The body has the character U+0000, which cannot be stored.")
        return value


def _most_bytes(view: Any) -> int:
    ceiling: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return min(getattr(view, "max_body_bytes", ceiling), ceiling)


def _holds_nul(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if "\x00" in item:
                return True
        elif isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False
