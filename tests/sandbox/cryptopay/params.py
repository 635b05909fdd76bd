"""Parameters of a call: query string, JSON, form or multipart, brought to one form.

Values keep their JSON type if they came as JSON and are text otherwise.
"""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Receive, Scope

from tests.sandbox.cryptopay.errors import ApiError, app_error
from tests.sandbox.wire import BodyTooLarge, read_body

BODY_LIMIT_BYTES = 1024 * 1024


@dataclass(slots=True)
class Parameters:
    """What a call was given; body is the raw text, empty for multipart."""

    values: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""

    def text(self, name: str) -> str:
        """The value as text, "" if it is missing. Raises ApiError for a list or an object."""
        value = self.values.get(name)
        if isinstance(value, list | dict):
            raise app_error()
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        written = self.text(name).lower()
        return default if not written else written in {"true", "1", "yes"}

    def whole(self, name: str, default: int, refusal: ApiError) -> int:
        """A whole number; raises the refusal for what is none."""
        written = self.text(name)
        try:
            return int(written) if written else default
        except ValueError:
            raise refusal from None

    def amount(self, name: str, refusal: ApiError) -> Decimal:
        """A decimal above 0; raises the refusal for anything else."""
        try:
            amount = Decimal(self.text(name))
        except InvalidOperation:
            raise refusal from None
        if not amount.is_finite() or amount <= 0:
            raise refusal
        return amount

    def codes(self, name: str) -> list[str]:
        """Comma-separated words."""
        return [code.strip() for code in self.text(name).split(",") if code.strip()]


async def read_parameters(scope: Scope, receive: Receive) -> Parameters:
    """Read a whole call. Raises ApiError for what cannot be read, and ClientDisconnect."""
    content_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    parameters = Parameters(_pairs(scope["query_string"]))
    if content_type == "multipart/form-data":
        try:
            async with Request(scope, receive).form() as form:
                parameters.values.update(form)
        except (MultiPartException, HTTPException, UnicodeDecodeError):
            raise app_error() from None
        return parameters
    try:
        body = parameters.body = await read_body(receive, BODY_LIMIT_BYTES)
    except BodyTooLarge:
        raise ApiError(413, "REQUEST_ENTITY_TOO_LARGE") from None
    if body and content_type == "application/json":
        try:
            values = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise app_error() from None
        if not isinstance(values, dict):
            raise app_error()
        parameters.values.update(values)
    elif body:
        parameters.values.update(_pairs(body))
    return parameters


def _pairs(encoded: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise app_error() from None
