"""/_sandbox/remnawave/: seed the panel, read it back, change it as its operator would."""

import time
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.remnawave import changes, seed, settings
from tests.sandbox.remnawave.dialect import read_dialect
from tests.sandbox.remnawave.errors import PanelError
from tests.sandbox.remnawave.nodes import node_json
from tests.sandbox.remnawave.nodes_calls import set_node
from tests.sandbox.remnawave.operator_changes import add_user, read_node, set_user, use_traffic
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.people import add_device
from tests.sandbox.remnawave.sweeps import Sweeps
from tests.sandbox.remnawave.user import PanelUser
from tests.sandbox.remnawave.webhooks import Receivers
from tests.sandbox.replies import json_reply, read_object, whole
from tests.sandbox.service import ControlInvalid

READ_LIMIT = 10_000
NODES_LIMIT = 1000
_ACTIONS = {
    "enable": changes.enable,
    "disable": changes.disable,
    "reset-traffic": changes.reset_traffic,
    "revoke": changes.revoke,
    "delete": changes.delete,
}


def routes(panel: Panel, sweeps: Sweeps) -> list[BaseRoute]:
    control = Control(panel, sweeps)
    return [
        Route("/seed", control.seed, methods=["POST"]),
        Route("/users", control.users, methods=["GET", "POST"]),
        Route("/users/{user_id:int}", control.user, methods=["GET", "PATCH"]),
        Route("/users/{user_id:int}/{action}", control.act, methods=["POST"]),
        Route("/nodes", control.nodes, methods=["GET", "POST"]),
        Route("/nodes/{uuid}", control.node, methods=["PATCH"]),
        Route("/traffic", control.traffic, methods=["POST"]),
        Route("/devices", control.devices, methods=["POST"]),
        Route("/events", control.events, methods=["POST"]),
        Route("/writes", control.writes),
        Route("/stats", control.stats),
        Route("/settings", control.settings, methods=["GET", "PUT"]),
        Route("/dialect", control.dialect, methods=["GET", "PUT"]),
        Route("/tokens", control.tokens, methods=["PUT"]),
        Route("/sweep", control.sweep, methods=["POST"]),
        Route("/webhooks", control.webhooks, methods=["GET", "PUT"]),
        Route("/webhooks/{number:int}/repeat", control.repeat, methods=["POST"]),
    ]


class Control:
    """The endpoints. Wrong input raises ControlInvalid, which the app answers with 400."""

    def __init__(self, panel: Panel, sweeps: Sweeps) -> None:
        self._panel = panel
        self._sweeps = sweeps

    async def seed(self, request: Request) -> Response:
        """Many users of one kind; see SeedOrder."""
        self._sweeps.start()
        order = seed.read_order(await read_object(request))
        began = time.perf_counter()
        first_id, last_id = seed.seed(self._panel, order)
        took_ms = round((time.perf_counter() - began) * 1000)
        return json_reply({"first_id": first_id, "last_id": last_id, "took_ms": took_ms})

    async def users(self, request: Request) -> Response:
        """POST one user with the fields of the panel; GET ?after_id=&limit=, by id."""
        self._sweeps.start()
        panel = self._panel
        if request.method == "POST":
            user = _allowed(lambda order: add_user(panel, order), await read_object(request))
            return json_reply({"user": panel.show(user)}, 201)
        limit = _limit(request, 1000)
        found = panel.users.after(whole(request.query_params, "after_id") or 0)
        shown = [panel.show(user) for user, _ in zip(found, range(limit), strict=False)]
        return json_reply({"users": shown, "total": len(panel.users)})

    async def user(self, request: Request) -> Response:
        """PATCH sets any field at once, in silence; {"fields": {}, "announce": true} tells it."""
        user = self._found(request)
        if request.method == "PATCH":
            order = await read_object(request, {"fields", "announce"})
            fields = order.get("fields")
            if not isinstance(fields, dict):
                raise ControlInvalid("fields must be an object")
            set_user(self._panel, user, fields)
            self._panel.revision += 1
            if order.get("announce"):
                self._panel.announce("user.modified", user)
        return json_reply({"user": self._panel.show(user)})

    async def act(self, request: Request) -> Response:
        """What an operator does in the panel's own pages: the same rules and webhooks."""
        user = self._found(request)
        action = request.path_params["action"]
        if action not in _ACTIONS:
            raise ControlInvalid(f"action must be one of {', '.join(_ACTIONS)}")
        _allowed(lambda order: _ACTIONS[action](self._panel, user), {})
        return json_reply({"user": self._panel.show(user)})

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

    async def writes(self, request: Request) -> Response:
        """?user_id=&call=&after_id=&limit=: oldest first."""
        query = request.query_params
        found = self._panel.writes.read(
            user_id=whole(query, "user_id"),
            call=query.get("call"),
            after_id=whole(query, "after_id"),
            limit=_limit(request, 1000),
        )
        return json_reply(
            {
                "writes": [write.as_json() for write in found],
                "counts": dict(self._panel.writes.counts),
            }
        )

    async def stats(self, request: Request) -> Response:
        panel = self._panel
        return json_reply(
            {
                **panel.calls.as_json(),
                "version": panel.dialect.version,
                "users": {"total": len(panel.users), "by_status": panel.users.status_counts()},
                "writes": dict(panel.writes.counts),
                "queued": panel.queued,
                "sweeps": self._sweeps.counts,
                "events": dict(panel.webhooks.counts),
                "webhooks": panel.webhooks.states(),
            }
        )

    async def settings(self, request: Request) -> Response:
        """PUT some of PanelSettings."""
        if request.method == "PUT":
            self._panel.settings = settings.changed(
                self._panel.settings, await read_object(request)
            )
            self._sweeps.start()
            self._sweeps.follow()
        return json_reply(self._panel.settings.as_json())

    async def dialect(self, request: Request) -> Response:
        """PUT {"version": "3" | "2.8" | "2.7" | "3.9.0"}, also in the middle of a run."""
        if request.method == "PUT":
            order = await read_object(request, {"version"})
            self._panel.dialect = read_dialect(str(order.get("version")))
            self._panel.revision += 1
        return json_reply({"version": self._panel.dialect.version})

    async def tokens(self, request: Request) -> Response:
        """PUT {"token", "state": "ok" | "unknown" | "deleted", "scopes": [...] or null}."""
        order = await read_object(request, {"token", "state", "scopes"})
        token, scopes = order.get("token"), order.get("scopes")
        if not isinstance(token, str) or not isinstance(scopes, list | None):
            raise ControlInvalid("token must be a text, scopes a list of texts or null")
        self._panel.tokens.put(token, order.get("state", "ok"), scopes)
        return json_reply({"state": order.get("state", "ok"), "scopes": scopes})

    async def sweep(self, request: Request) -> Response:
        """Run the panel's own checks now, without waiting for their time."""
        return json_reply({"expired": self._sweeps.expire(), "limited": self._sweeps.limit()})

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
            limit=_limit(request, 1000),
        )
        with_body = query.get("body") == "1"
        return json_reply({"webhooks": [item.as_json(with_body=with_body) for item in found]})

    async def repeat(self, request: Request) -> Response:
        """Deliver a webhook once more, byte for byte."""
        number = request.path_params["number"]
        if not self._panel.webhooks.repeat(number):
            return json_reply({"error": f"webhook {number} is not kept"}, 404)
        return json_reply({"repeated": number})

    def _found(self, request: Request) -> PanelUser:
        user = self._panel.users.get(request.path_params["user_id"])
        if user is None:
            raise ControlInvalid(f"no user has the id {request.path_params['user_id']}")
        return user


def _allowed(change: Any, order: dict[str, Any]) -> Any:
    """Do what the panel's rules may refuse. Raises ControlInvalid with their words."""
    try:
        return change(order)
    except PanelError as error:
        raise ControlInvalid(str(error)) from None


def _limit(request: Request, default: int) -> int:
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
