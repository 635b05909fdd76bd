"""Answers that are kept under an Idempotency-Key, and given again to who repeats."""

from collections.abc import Callable
from typing import Any

import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.idempotency import answer_once


def answered(
    request: Request, scope: str, act: Callable[[], tuple[int, Any]], *, body: Any = None
) -> Response:
    """Act once per key of this caller. See jobs.idempotency for what it raises.

    body: what came with the key, as JSON; None: all that came.
    """
    answer = answer_once(
        account_id=int(request.user.pk or 0),
        scope=scope,
        key=request.headers.get("Idempotency-Key"),
        body=request.data if body is None else body,
        act=act,
    )
    headers = {"Idempotent-Replayed": "true"} if answer.is_repeat else None
    return Response(orjson.Fragment(answer.body), status=answer.status, headers=headers)
