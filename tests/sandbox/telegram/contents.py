"""What a call wants to say: its text, its caption, its document."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from tests.sandbox.telegram.documents import Document, DocumentStore
from tests.sandbox.telegram.entities import Entity
from tests.sandbox.telegram.errors import ApiError, bad_request
from tests.sandbox.telegram.links import checked_link
from tests.sandbox.telegram.params import UPLOAD_LIMIT_BYTES, Parameters
from tests.sandbox.telegram.text import (
    CAPTION_LIMIT,
    TEXT_LIMIT,
    Formatted,
    build,
    check_length,
    check_raw_size,
    format_text,
)


def read_text(parameters: Parameters) -> Formatted:
    raw = parameters.text("text")
    if not raw:
        raise bad_request("message text is empty")
    content = _format(parameters, raw, "entities")
    check_length(content, TEXT_LIMIT, "message is too long")
    return content


def read_caption(parameters: Parameters) -> Formatted | None:
    raw = parameters.text("caption")
    if not raw.strip():
        return None
    content = _format(parameters, raw, "caption_entities")
    check_length(content, CAPTION_LIMIT, "message caption is too long")
    return content


def _format(parameters: Parameters, raw: str, entities_name: str) -> Formatted:
    parse_mode = parameters.text("parse_mode")
    if parse_mode:
        return format_text(raw, parse_mode)
    given = parameters.nested(entities_name, "message entities")
    if not given:
        return format_text(raw, "")
    check_raw_size(raw)
    return build(raw, raw, [_entity(item) for item in _array(given)], "")


def _array(given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise bad_request("expected an Array of MessageEntity")
    return given


def _entity(item: Any) -> Entity:
    """One given entity. The server refuses wrong shapes; spans outside the text it just cuts."""
    reason = "can't parse MessageEntity:"
    if not isinstance(item, dict):
        raise bad_request(f"{reason} expected an Object")
    for name, kind in (("offset", int), ("length", int), ("type", str)):
        if type(item.get(name)) is not kind:
            raise bad_request(f'{reason} Can\'t find field "{name}"')
    extra = {
        name: value for name, value in item.items() if name not in {"offset", "length", "type"}
    }
    return Entity(item["type"], max(item["offset"], 0), max(item["length"], 0), extra)


def document_source(documents: DocumentStore, parameters: Parameters) -> Callable[[], Document]:
    """How to get the document of a call once it may go out. Raises ApiError 400 and 413."""
    name = parameters.text("document")
    upload = parameters.files.get(name.removeprefix("attach://") if name else "document")
    if upload is not None:
        if len(upload.content) > UPLOAD_LIMIT_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        if not upload.content:
            raise bad_request("file must be non-empty")
        return lambda: documents.add(
            name=upload.name, mime_type=upload.mime_type, content=upload.content
        )
    if not name:
        raise bad_request("there is no document in the request")
    known = documents.find(name)
    if known is not None:
        return lambda: known
    if name.startswith(("http://", "https://")) and checked_link(name):
        # The file is not fetched: the sandbox never calls out.
        base = PurePosixPath(urlsplit(name).path).name or "file"
        return lambda: documents.add(name=base, mime_type="application/octet-stream", content=None)
    raise bad_request("wrong file identifier/HTTP URL specified")
