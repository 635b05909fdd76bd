"""The words of a test for the panel: `sandbox.panel.seed(1000)`."""

from collections.abc import Iterable
from typing import Any, Protocol

PAGE_SIZE = 10_000
SEED_TIMEOUT_S = 120.0
SERVICE = "remnawave"


class Call(Protocol):
    """One control call: HTTP method, path below /_sandbox/, JSON body, query."""

    def __call__(
        self,
        http_method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        timeout_s: float = ...,
    ) -> dict[str, Any]: ...


class PanelHand:
    """Sets the panel up, changes it as its operator, and reads back what happened there."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def seed(self, count: int, **order: Any) -> range:
        """Many users of one kind, fields as in seed.SeedOrder; returns their ids.

        Without telegram_from the telegram id of a user is 500000000 + his id.
        """
        made = self._call(
            "POST", "remnawave/seed", {"count": count, **order}, timeout_s=SEED_TIMEOUT_S
        )
        return range(made["first_id"], made["last_id"] + 1)

    def add(self, **fields: Any) -> dict[str, Any]:
        """One user with any fields of the panel, and expireInSeconds; returns him as it does."""
        return self._user("POST", "users", fields)

    def user(self, user_id: int) -> dict[str, Any]:
        """A user as the panel shows him. Raises SandboxFailed if there is none."""
        return self._user("GET", f"users/{user_id}")

    def users(self) -> list[dict[str, Any]]:
        """All of them, by id."""
        found: list[dict[str, Any]] = []
        while True:
            after_id = found[-1]["id"] if found else 0
            page = self._call(
                "GET", "remnawave/users", query={"after_id": after_id, "limit": PAGE_SIZE}
            )["users"]
            found += page
            if len(page) < PAGE_SIZE:
                return found

    def change(self, user_id: int, *, announce: bool = False, **fields: Any) -> dict[str, Any]:
        """Set any field without side effects; announce sends user.modified."""
        return self._user("PATCH", f"users/{user_id}", {"fields": fields, "announce": announce})

    def operator(self, user_id: int, action: str, **fields: Any) -> dict[str, Any]:
        """What a person does in the panel: enable, disable, reset-traffic, revoke, delete, update
        (fields of PATCH), extend (days).

        The panel's rules and webhooks apply; it is not among the writes.
        """
        return self._user("POST", f"users/{user_id}/{action}", fields)

    def writes(
        self, *, user_id: int | None = None, call: str | None = None
    ) -> list[dict[str, Any]]:
        """Requests that were to change something, oldest first: call, user_ids, body, status, at.

        call is such as users.update, users.disable, users.bulk.update, nodes.restart.
        """
        found: list[dict[str, Any]] = []
        while True:
            after_id = found[-1]["id"] if found else 0
            page = self._call(
                "GET",
                "remnawave/writes",
                query={"user_id": user_id, "call": call, "after_id": after_id, "limit": PAGE_SIZE},
            )["writes"]
            found += page
            if len(page) < PAGE_SIZE:
                return found

    def use(self, user_ids: Iterable[int], size: int, node: str | None = None) -> None:
        """People use so many bytes each, on a node or on the first that is up."""
        order: dict[str, Any] = {"user_ids": list(user_ids), "bytes": size, "node": node}
        self._call("POST", "remnawave/traffic", order)

    def add_device(self, user_id: int, hwid: str) -> None:
        self._call("POST", "remnawave/devices", {"user_id": user_id, "hwid": hwid})

    def nodes(self) -> list[dict[str, Any]]:
        """Nodes as the panel shows them: at first one up, one starting, one disabled."""
        found: list[dict[str, Any]] = self._call("GET", "remnawave/nodes")["nodes"]
        return found

    def add_nodes(self, count: int, country: str = "NL") -> None:
        self._call("POST", "remnawave/nodes", {"count": count, "country": country})

    def node(self, uuid: str, **fields: Any) -> dict[str, Any]:
        """Something happens to a node: state is up, starting, down or disabled; message, ..."""
        found: dict[str, Any] = self._call("PATCH", f"remnawave/nodes/{uuid}", fields)["node"]
        return found

    def event(self, event: str, *, user_id: int | None = None, **more: Any) -> None:
        """Send any webhook: of a user with meta, else with data."""
        self._call("POST", "remnawave/events", {"event": event, "user_id": user_id, **more})

    def stats(self) -> dict[str, Any]:
        """Counters: received, by_call, peak_in_flight, users, writes, queued, events, webhooks."""
        return self._call("GET", "remnawave/stats")

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change how the panel behaves, fields as in settings.PanelSettings; returns all."""
        return self._call("PUT", "remnawave/settings", changes)

    def dialect(self, version: str) -> None:
        """Be another panel from the next call on: "3", "2.8", "2.7" or a full version."""
        self._call("PUT", "remnawave/dialect", {"version": version})

    def token(self, token: str, state: str = "ok", scopes: list[str] | None = None) -> None:
        """What a token is worth: ok, unknown (401) or deleted (403); scopes None means all."""
        self._call("PUT", "remnawave/tokens", {"token": token, "state": state, "scopes": scopes})

    def sweep(self) -> dict[str, Any]:
        """Let the panel look for expired and exceeded users now."""
        return self._call("POST", "remnawave/sweep", {})

    def fault(self, *, user_id: int | None = None, **order: Any) -> dict[str, Any]:
        """Order a fault; fields as in tests.sandbox.faults, method such as users.update."""
        more = {} if user_id is None else {"chat_id": user_id}
        return self._call("POST", "faults", {"service": SERVICE, **order, **more})

    def clear_faults(self) -> None:
        self._call("DELETE", "faults", query={"service": SERVICE})

    def webhooks_to(self, url: str | Iterable[str], secret: str, **more: Any) -> None:
        """Send events there, signed; more is muted (events), lost_share, jitter_ms, seed."""
        urls = [url] if isinstance(url, str) else list(url)
        self._call("PUT", "remnawave/webhooks", {"urls": urls, "secret": secret, **more})

    def webhooks(self, **chosen: Any) -> list[dict[str, Any]]:
        """Deliveries, oldest first; chosen is event, user_id, state, limit, body=1."""
        query = {"limit": PAGE_SIZE, **chosen}
        found: list[dict[str, Any]] = self._call("GET", "remnawave/webhooks", query=query)[
            "webhooks"
        ]
        return found

    def repeat_webhook(self, number: int) -> None:
        """Deliver a webhook once more, byte for byte."""
        self._call("POST", f"remnawave/webhooks/{number}/repeat", {})

    def _user(
        self, http_method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        found: dict[str, Any] = self._call(http_method, f"remnawave/{path}", body)["user"]
        return found
