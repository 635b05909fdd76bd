"""Reading and answering control requests."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from tests.sandbox.service import ControlInvalid


def json_reply(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")


async def read_object(request: Request, known: set[str] | None = None) -> dict[str, Any]:
    """The JSON object of a request, {} if it has no body.

    Raises ControlInvalid for anything else, and for a field that is not known: a typing error in a
    test must not pass for an order.
    """
    body = await request.body()
    if not body:
        return {}
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ControlInvalid(f"the body is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise ControlInvalid("the body must be a JSON object")
    return content if known is None else known_only(content, known)


def known_only(content: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """The same object. Raises ControlInvalid for a field that is not known."""
    for name in content:
        if name not in known:
            raise ControlInvalid(f"{name} is unknown; known are {', '.join(sorted(known))}")
    return content


def whole(query: Mapping[str, str], name: str) -> int | None:
    """A whole number of the query string, None if it is missing. Raises ControlInvalid."""
    try:
        return int(query[name]) if query.get(name) else None
    except ValueError:
        raise ControlInvalid(f"{name} must be a whole number") from None


def moment(query: Mapping[str, str], name: str) -> float | None:
    """Unix seconds of the query string, None if missing. Raises ControlInvalid."""
    try:
        return float(query[name]) if query.get(name) else None
    except ValueError:
        raise ControlInvalid(f"{name} must be unix seconds") from None
