"""/_sandbox/hooks/: a receiver of webhooks, for the demo and for people who try them.

POST /hooks/<name> takes in whatever comes and answers 204; /hooks/flaky refuses each message once with 503,
as a receiver does that is just being restarted. GET /hooks tells what came, newest first.
"""

import time
from collections import OrderedDict, deque
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.replies import json_reply

KEPT = 200
REMEMBERED = 5_000  # ids of messages that flaky has refused
LONGEST_BODY = 100_000  # bytes
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "user-agent")


def hook_routes() -> list[BaseRoute]:
    hooks = Hooks()
    return [
        Route("/hooks", hooks.received, methods=["GET"]),
        Route("/hooks/{name}", hooks.receive, methods=["POST"]),
    ]


class Hooks:
    """What was received, in memory."""

    def __init__(self) -> None:
        self._received: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._refused: OrderedDict[str, None] = OrderedDict()

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        name = request.path_params["name"]
        status = 503 if name == "flaky" and self._is_new(request) else 204
        self._received.appendleft(
            {
                "name": name,
                "at": time.time(),
                "status": status,
                "headers": {each: request.headers.get(each, "") for each in HEADERS},
                "body": body[:LONGEST_BODY].decode("utf-8", "replace"),
            }
        )
        return Response(status_code=status)

    async def received(self, request: Request) -> Response:
        wanted = request.query_params.get("name")
        found = [each for each in self._received if wanted in {None, each["name"]}]
        return json_reply({"received": found})

    def _is_new(self, request: Request) -> bool:
        key = request.headers.get("webhook-id", "")
        if key in self._refused:
            return False
        self._refused[key] = None
        while len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)
        return True
