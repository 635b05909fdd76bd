"""Every route of the panel: which dialect has it, which right it needs, and who answers."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tests.sandbox.remnawave import (
    bandwidth,
    bulk,
    nodes_calls,
    people,
    stats,
    system,
    users_read,
    users_write,
)
from tests.sandbox.remnawave.ask import Ask
from tests.sandbox.remnawave.dialect import Dialect
from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.wire import Answer

Handler = Callable[[Panel, Ask], Answer]


class Since(Enum):
    """Where a route exists."""

    ALL = "all"
    V2 = "v2"
    V2_8 = "2.8"
    V3 = "v3"

    def covers(self, dialect: Dialect) -> bool:
        if self is Since.V2:
            return not dialect.is_v3
        if self is Since.V2_8:
            return dialect.has_stream
        return self is Since.ALL or dialect.is_v3


@dataclass(frozen=True, slots=True)
class Route:
    """call is the panel's word for it, in the journal, in faults and in counters."""

    http_method: str
    path: str
    call: str
    handler: Handler
    resource: str = "users"
    is_write: bool = False
    since: Since = Since.ALL


def _read(path: str, call: str, handler: Handler, since: Since = Since.ALL) -> Route:
    return Route("GET", f"/api/users{path}", f"users.{call}", handler, since=since)


def _write(
    http_method: str, path: str, call: str, handler: Handler, since: Since = Since.ALL
) -> Route:
    return Route(
        http_method, f"/api/users{path}", f"users.{call}", handler, is_write=True, since=since
    )


def _bulk(path: str, handler: Handler) -> Route:
    return _write("POST", f"/bulk/{path}", f"bulk.{path.replace('/', '.')}", handler)


def _system(path: str, call: str, handler: Handler, since: Since = Since.ALL) -> Route:
    resource = "metadata" if path == "/metadata" else "system"
    return Route("GET", f"/api/system{path}", f"system.{call}", handler, resource, since=since)


def _node(http_method: str, path: str, call: str, handler: Handler) -> Route:
    is_write = http_method != "GET"
    return Route(http_method, f"/api/nodes{path}", f"nodes.{call}", handler, "nodes", is_write)


def _usage(
    http_method: str, path: str, call: str, handler: Handler, since: Since = Since.ALL
) -> Route:
    """All of them read, also the POSTs."""
    url = f"/api/bandwidth-stats{path}"
    return Route(http_method, url, f"bandwidth.{call}", handler, "bandwidth-stats", since=since)


def _for_admins(panel: Panel, ask: Ask) -> Answer:
    """Tokens are seen by people only, never by a token."""
    raise refused("E000")


_HWID = "hwid-user-devices"
_SQUADS = "internal-squads"

ROUTES: list[Route] = [
    _read("", "list", users_read.listed),
    _read("/stream", "stream", users_read.stream, Since.V2_8),
    _read("/tags", "tags", users_read.tags),
    _read("/by-username/{name}", "by-username", users_read.by_username),
    _read("/by-short-uuid/{name}", "by-short-uuid", users_read.by_short_uuid),
    _read("/by-id/{user}", "by-id", users_read.by_number, Since.V2),
    _read("/by-telegram-id/{name}", "by-telegram-id", users_read.by_telegram_id, Since.V2),
    _read("/by-email/{name}", "by-email", users_read.by_email, Since.V2),
    _read("/by-tag/{name}", "by-tag", users_read.by_tag, Since.V2),
    Route("POST", "/api/users/resolve", "users.resolve", users_read.resolve),
    _write("POST", "", "create", users_write.create),
    _write("PATCH", "", "update", users_write.update),
    _bulk("update", bulk.update),
    _bulk("update-squads", bulk.update_squads),
    _bulk("reset-traffic", bulk.reset_traffic),
    _bulk("revoke-subscription", bulk.revoke),
    _bulk("extend-expiration-date", bulk.extend),
    _bulk("delete", bulk.delete),
    _bulk("delete-by-status", bulk.delete_by_status),
    _bulk("all/update", bulk.update_all),
    _bulk("all/reset-traffic", bulk.reset_all),
    _bulk("all/extend-expiration-date", bulk.extend_all),
    _write("POST", "/{user}/actions/enable", "enable", users_write.enable),
    _write("POST", "/{user}/actions/disable", "disable", users_write.disable),
    _write("POST", "/{user}/actions/reset-traffic", "reset-traffic", users_write.reset_traffic),
    _write("POST", "/{user}/actions/revoke", "revoke", users_write.revoke),
    _write("POST", "/{user}/actions/extend", "extend", users_write.extend, Since.V3),
    _read("/{user}/accessible-nodes", "accessible-nodes", people.accessible_nodes),
    _read("/{user}/subscription-request-history", "request-history", people.request_history),
    _read("/{user}", "get", users_read.one),
    _write("DELETE", "/{user}", "delete", users_write.delete),
    _system("/metadata", "metadata", system.metadata),
    _system("/health", "health", system.health),
    _system("/configuration", "configuration", system.configuration, Since.V3),
    _system("/stats", "stats", stats.totals),
    _system("/stats/bandwidth", "stats.bandwidth", stats.bandwidth),
    _system("/stats/nodes", "stats.nodes", stats.nodes),
    _system("/stats/digest", "stats.digest", stats.digest, Since.V3),
    _system("/nodes/metrics", "nodes.metrics", stats.metrics),
    _node("GET", "", "list", nodes_calls.listed),
    _node("PATCH", "", "update", nodes_calls.update),
    _node("GET", "/tags", "tags", nodes_calls.tags),
    _node("POST", "/actions/restart-all", "restart-all", nodes_calls.restart_all),
    _node("POST", "/bulk-actions", "bulk-actions", nodes_calls.bulk_actions),
    _node("GET", "/{uuid}", "get", nodes_calls.one),
    _node("DELETE", "/{uuid}", "delete", nodes_calls.delete),
    _node("POST", "/{uuid}/actions/enable", "enable", nodes_calls.enable),
    _node("POST", "/{uuid}/actions/disable", "disable", nodes_calls.disable),
    _node("POST", "/{uuid}/actions/restart", "restart", nodes_calls.restart),
    _node("POST", "/{uuid}/actions/reset-traffic", "reset-traffic", nodes_calls.reset_traffic),
    _usage("GET", "/nodes", "nodes", bandwidth.nodes),
    _usage("GET", "/nodes/{uuid}/users", "node-users", bandwidth.node_users),
    _usage("POST", "/nodes/users", "nodes-users", bandwidth.nodes_users),
    _usage("POST", "/nodes/usage", "nodes-usage", bandwidth.nodes_usage, Since.V3),
    _usage("GET", "/users/{user}", "user", bandwidth.of_user),
    Route("GET", "/api/hwid/devices/{user}", "hwid.list", people.devices, _HWID),
    Route("POST", "/api/hwid/devices/delete", "hwid.delete", people.delete_device, _HWID, True),
    Route(
        "POST",
        "/api/hwid/devices/delete-all",
        "hwid.delete-all",
        people.delete_devices,
        _HWID,
        True,
    ),
    Route("GET", "/api/metadata/user/{user}", "metadata.get", people.metadata, "metadata"),
    Route(
        "PUT", "/api/metadata/user/{user}", "metadata.put", people.put_metadata, "metadata", True
    ),
    Route("GET", "/api/internal-squads", "squads.list", people.squads, _SQUADS),
    Route(
        "POST",
        "/api/internal-squads/{uuid}/bulk-actions/add-many-users",
        "squads.add-many-users",
        people.add_members,
        _SQUADS,
        True,
        Since.V3,
    ),
    Route(
        "DELETE",
        "/api/internal-squads/{uuid}/bulk-actions/remove-many-users",
        "squads.remove-many-users",
        people.remove_members,
        _SQUADS,
        True,
        Since.V3,
    ),
    Route(
        "GET",
        "/api/config-profiles/inbounds",
        "profiles.inbounds",
        people.inbounds,
        "config-profiles",
    ),
    Route("GET", "/api/tokens", "tokens.list", _for_admins, "api-tokens"),
]

# By method and number of parts: a call is held against a few of them only.
_PATTERNS: defaultdict[tuple[str, int], list[tuple[Route, re.Pattern[str]]]] = defaultdict(list)
for _route in ROUTES:
    _pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", _route.path))
    _PATTERNS[_route.http_method, _route.path.count("/")].append((_route, _pattern))


def find_route(
    dialect: Dialect, http_method: str, path: str
) -> tuple[Route, dict[str, str]] | None:
    """The first route that fits, with the parameters of its path."""
    for route, pattern in _PATTERNS.get((http_method, path.count("/")), ()):
        match = pattern.fullmatch(path)
        if match is not None and route.since.covers(dialect):
            return route, match.groupdict()
    return None
