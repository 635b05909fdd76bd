"""Parameters of a call: query string, JSON, form or multipart, brought to one form.

Values keep their JSON type if they came as JSON and are text otherwise; readers below accept both,
as the server does.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Receive, Scope

from tests.sandbox.telegram.errors import ApiError, bad_request
from tests.sandbox.wire import BodyTooLarge, read_body

UPLOAD_LIMIT_BYTES = 50 * 1024 * 1024
_ENVELOPE_BYTES = 256 * 1024  # what a multipart body may weigh besides its file


@dataclass(slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    mime_type: str
    content: bytes


@dataclass(slots=True)
class Parameters:
    """What a call was given. body is the raw text, empty for multipart."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    body: bytes = b""

    def text(self, name: str) -> str:
        """The value as text; "" if it is missing or null."""
        value = self.values.get(name)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in {"true", "yes", "1"}

    def integer(self, name: str) -> int:
        """The value as a number; 0 if it is missing or none, as the server reads it."""
        try:
            return int(self.text(name))
        except ValueError:
            return 0

    def nested(self, name: str, spoken: str) -> Any:
        """A JSON value, given as such or as text; None if missing. spoken names it in errors."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f"can't parse {spoken} JSON object") from None

    def chat_id(self) -> int | None:
        """chat_id as a number, None if it is missing or a name."""
        value = self.values.get("chat_id")
        if type(value) is int:
            return value
        try:
            return int(self.text("chat_id"))
        except ValueError:
            return None


async def read_parameters(scope: Scope, receive: Receive) -> Parameters:
    """Read a whole call. Raises ApiError 400 for what is no JSON or UTF-8, 413 for a big upload."""
    headers = Headers(scope=scope)
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    parameters = Parameters()
    query = scope["query_string"]
    if query:
        parameters.values = _pairs(query)
    if content_type == "multipart/form-data":
        if int(headers.get("content-length") or 0) > UPLOAD_LIMIT_BYTES + _ENVELOPE_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        await _read_multipart(scope, receive, parameters)
        return parameters
    try:
        body = await read_body(receive, UPLOAD_LIMIT_BYTES)
    except BodyTooLarge:
        raise ApiError(413, "Request Entity Too Large") from None
    parameters.body = body
    if body and content_type == "application/json":
        parameters.values.update(_json_object(body))
    elif body and content_type == "application/x-www-form-urlencoded":
        parameters.values.update(_pairs(body))
    return parameters


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(values, dict):
        raise bad_request("object expected as JSON body")
    return values


def _pairs(encoded: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    except ValueError:
        raise bad_request("too many parameters") from None


async def _read_multipart(scope: Scope, receive: Receive, parameters: Parameters) -> None:
    request = Request(scope, receive)
    try:
        async with request.form(max_part_size=UPLOAD_LIMIT_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    parameters.files[name] = Upload(
                        value.filename or name,
                        value.content_type or "application/octet-stream",
                        await value.read(),
                    )
                else:
                    parameters.values[name] = value
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise bad_request("can't parse multipart body") from None
