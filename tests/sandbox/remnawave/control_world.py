"""/_sandbox/remnawave/: what happens to the panel from outside, and where its webhooks go."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.remnawave.nodes import node_json
from tests.sandbox.remnawave.nodes_calls import set_node
from tests.sandbox.remnawave.operator_changes import read_node, use_traffic
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.people import add_device
from tests.sandbox.remnawave.webhooks import Receivers
from tests.sandbox.replies import json_reply, read_object, whole
from tests.sandbox.service import ControlInvalid

READ_LIMIT = 10_000
NODES_LIMIT = 1000


def routes(panel: Panel) -> list[BaseRoute]:
    control = WorldControl(panel)
    return [
        Route("/nodes", control.nodes, methods=["GET", "POST"]),
        Route("/nodes/{uuid}", control.node, methods=["PATCH"]),
        Route("/traffic", control.traffic, methods=["POST"]),
        Route("/devices", control.devices, methods=["POST"]),
        Route("/events", control.events, methods=["POST"]),
        Route("/webhooks", control.webhooks, methods=["GET", "PUT"]),
        Route("/webhooks/{number:int}/repeat", control.repeat, methods=["POST"]),
    ]


class WorldControl:
    """Nodes, traffic, devices, events. Wrong input raises ControlInvalid."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    async def nodes(self, request: Request) -> Response:
        """POST {"count": 20}: more nodes, all of them up."""
        panel = self._panel
        if request.method == "POST":
            order = await read_object(request, {"count", "country"})
            country = str(order.get("country", "NL"))
            for _ in range(min(int(order.get("count", 1)), NODES_LIMIT)):
                panel.nodes.add(panel.now_ms(), country)
        return json_reply({"nodes": [node_json(node, panel.dialect) for node in panel.nodes.rows]})

    async def node(self, request: Request) -> Response:
        """Set {"state": "up" | "starting" | "down" | "disabled", "message", ...}."""
        node = self._panel.nodes.get(request.path_params["uuid"])
        if node is None:
            raise ControlInvalid("no node has this uuid")
        set_node(self._panel, node, read_node(await read_object(request)))
        return json_reply({"node": node_json(node, self._panel.dialect)})

    async def traffic(self, request: Request) -> Response:
        """{"user_ids": [...], "bytes": n, "node": uuid}: people use the VPN now."""
        order = await read_object(request, {"user_ids", "bytes", "node"})
        use_traffic(self._panel, order)
        return json_reply({"ok": True})

    async def devices(self, request: Request) -> Response:
        """{"user_id": n, "hwid": text}: a new device of a user."""
        order = await read_object(request, {"user_id", "hwid"})
        user = self._panel.users.get(order.get("user_id", 0))
        if user is None or not isinstance(order.get("hwid"), str):
            raise ControlInvalid("user_id must be a user, hwid a text")
        add_device(self._panel, user, order["hwid"])
        return json_reply({"ok": True}, 201)

    async def events(self, request: Request) -> Response:
        """{"event": "user.not_connected", "user_id": n, "meta": {}}, or any with "data"."""
        order = await read_object(request, {"event", "user_id", "meta", "data"})
        event = order.get("event")
        if not isinstance(event, str) or "." not in event:
            raise ControlInvalid("event must be a name such as user.modified")
        if order.get("user_id") is None:
            scope, content = event.partition(".")[0], order.get("data") or {}
            self._panel.announce_other(scope, event, content)
        else:
            user = self._panel.users.get(order["user_id"])
            if user is None:
                raise ControlInvalid(f"no user has the id {order['user_id']}")
            self._panel.announce(event, user, order.get("meta"))
        return json_reply({"event": event})

    async def webhooks(self, request: Request) -> Response:
        """PUT Receivers; GET ?event=&user_id=&state=&limit=&body=1: oldest first."""
        book = self._panel.webhooks
        if request.method == "PUT":
            names = {"urls", "secret", "muted", "lost_share", "jitter_ms", "seed"}
            book.direct(_receivers(await read_object(request, names)))
            return json_reply({**asdict(book.receivers), "muted": sorted(book.receivers.muted)})
        query = request.query_params
        found = book.read(
            event=query.get("event"),
            user_id=whole(query, "user_id"),
            state=query.get("state"),
            limit=limit_of(request, 1000),
        )
        with_body = query.get("body") == "1"
        return json_reply({"webhooks": [item.as_json(with_body=with_body) for item in found]})

    async def repeat(self, request: Request) -> Response:
        """Deliver a webhook once more, byte for byte."""
        number = request.path_params["number"]
        if not self._panel.webhooks.repeat(number):
            return json_reply({"error": f"webhook {number} is not kept"}, 404)
        return json_reply({"repeated": number})


def limit_of(request: Request, default: int) -> int:
    limit = whole(request.query_params, "limit")
    return default if limit is None else min(max(limit, 0), READ_LIMIT)


def _receivers(order: dict[str, Any]) -> Receivers:
    urls, muted = order.get("urls", []), order.get("muted", [])
    secret = order.get("secret", "")
    for name, value in (("urls", urls), ("muted", muted)):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ControlInvalid(f"{name} must be a list of texts")
    if urls and (not isinstance(secret, str) or not secret):
        raise ControlInvalid("secret must be a text, with which the panel signs")
    amounts = {name: order.get(name, 0) for name in ("lost_share", "jitter_ms", "seed")}
    for name, value in amounts.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ControlInvalid(f"{name} must be a number of at least 0")
    return Receivers(
        tuple(urls),
        secret,
        frozenset(muted),
        float(amounts["lost_share"]),
        float(amounts["jitter_ms"]),
        int(amounts["seed"]),
    )
