"""/_sandbox/remnawave/: seed the panel, read it back, change it as its operator would."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tests.sandbox.remnawave import control_world, seed, settings
from tests.sandbox.remnawave.control_world import limit_of
from tests.sandbox.remnawave.dialect import read_dialect
from tests.sandbox.remnawave.errors import PanelError
from tests.sandbox.remnawave.operator_changes import ACTIONS, add_user, set_user
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.sweeps import Sweeps
from tests.sandbox.remnawave.user import PanelUser
from tests.sandbox.replies import json_reply, read_object, whole
from tests.sandbox.service import ControlInvalid


def routes(panel: Panel, sweeps: Sweeps) -> list[BaseRoute]:
    control = Control(panel, sweeps)
    return [
        Route("/seed", control.seed, methods=["POST"]),
        Route("/users", control.users, methods=["GET", "POST"]),
        Route("/users/{user_id:int}", control.user, methods=["GET", "PATCH"]),
        Route("/users/{user_id:int}/{action}", control.act, methods=["POST"]),
        Route("/writes", control.writes),
        Route("/stats", control.stats),
        Route("/settings", control.settings, methods=["GET", "PUT"]),
        Route("/dialect", control.dialect, methods=["GET", "PUT"]),
        Route("/tokens", control.tokens, methods=["PUT"]),
        Route("/sweep", control.sweep, methods=["POST"]),
        *control_world.routes(panel),
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
        limit = limit_of(request, 1000)
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
        """What an operator does in the panel's own pages: the same rules and webhooks.

        update takes the fields of PATCH, extend takes days.
        """
        user = self._found(request)
        action = request.path_params["action"]
        if action not in ACTIONS:
            raise ControlInvalid(f"action must be one of {', '.join(ACTIONS)}")
        order = await read_object(request)
        _allowed(lambda fields: ACTIONS[action](self._panel, user, fields), order)
        return json_reply({"user": self._panel.show(user)})

    async def writes(self, request: Request) -> Response:
        """?user_id=&call=&after_id=&limit=: oldest first."""
        query = request.query_params
        found = self._panel.writes.read(
            user_id=whole(query, "user_id"),
            call=query.get("call"),
            after_id=whole(query, "after_id"),
            limit=limit_of(request, 1000),
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
                "webhooks": +panel.webhooks.states,
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
