"""Orders to the sandbox: what customers, operators and bad luck do to the outside services."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from config.simulation.options import SimulationFailed

TIMEOUT_S = 60.0
JSON = {"Content-Type": "application/json"}
PAGE = 5_000
Shown = dict[str, Any]


class Refused(Exception):
    """The sandbox says that nobody could do that now: an invoice that is over, a user who is gone."""


class Hand:
    """Control calls below /_sandbox/. One thread uses it."""

    def __init__(self, url: str) -> None:
        self.url = url
        place = urlsplit(url)
        # The pool itself: a session of requests takes three times the processor of such a call.
        self._http = HTTPConnectionPool(
            place.hostname or "", place.port, maxsize=1, timeout=TIMEOUT_S, retries=False
        )

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Shown:
        """One call. Raises Refused, SimulationFailed."""
        address = f"/_sandbox/{path}" + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else orjson.dumps(body)
        try:
            answer = self._http.request(method, address, body=content, headers=JSON)
        except HTTPError as exc:
            raise SimulationFailed(f"The sandbox does not answer: {exc}") from None
        if answer.status == HTTPStatus.BAD_REQUEST:
            raise Refused(answer.data.decode(errors="replace")[:300])
        if answer.status >= HTTPStatus.BAD_REQUEST:
            said = answer.data.decode(errors="replace")[:300]
            raise SimulationFailed(f"{method} {path}: {answer.status} {said}")
        found: Shown = orjson.loads(answer.data)
        return found

    def clock_set(self, offset_s: float) -> None:
        """Let panel and provider live so far ahead of real time; their own sweeps are done by then."""
        self.call("PUT", "clock", {"offset_s": offset_s})

    # The panel.

    def seed(self, count: int, **order: Any) -> None:
        """Users of one kind; fields as the sandbox's README says."""
        self.call("POST", "remnawave/seed", {"count": count, **order})

    def users(self) -> list[Shown]:
        """Every user of the panel, by id."""
        return list(self._pages("remnawave/users", "users", "id"))

    def writes(self) -> list[Shown]:
        """Every request of ours that was to change something, oldest first."""
        return list(self._pages("remnawave/writes", "writes", "id"))

    def operator(self, user_id: int, action: str) -> Shown:
        """What somebody does in the panel: enable, disable, delete. Raises Refused."""
        found: Shown = self.call("POST", f"remnawave/users/{user_id}/{action}", {})["user"]
        return found

    def panel_webhooks_to(self, url: str, secret: str, **order: Any) -> None:
        """Where the panel's events go; lost_share of them never leave."""
        body = {"urls": [url], "secret": secret, **order}
        self.call("PUT", "remnawave/webhooks", body)

    def waits(self) -> int:
        """Webhooks that are due or under way, and changes that lie in the panel's own queue."""
        return sum(int(count) for count in self.call("GET", "waits").values())

    # The provider.

    def pay(self, orders: list[Shown]) -> list[bool]:
        """Some pay, in one call: invoice_ids, asset, amount, late, duplicates, delay_s, silent.

        Says of each whether it was taken: an invoice that is over cannot be paid.
        """
        made = self.call("POST", "cryptopay/pay", {"orders": orders})["orders"]
        return ["error" not in each for each in made]

    def paid(self) -> list[Shown]:
        """Every paid invoice, oldest first."""
        found: list[Shown] = []
        while True:
            page = self.call(
                "GET", "cryptopay/invoices", status="paid", offset=len(found), limit=PAGE
            )["invoices"]
            found += page
            if len(page) < PAGE:
                return found[::-1]

    # Telegram.

    def unlimited(self) -> None:
        """Limits are by real time, of which a simulated month has little."""
        self.call("PUT", "limits", {"enabled": False})

    def blocked(self, chat_ids: Iterable[int]) -> None:
        """These people have blocked the bot."""
        order = {"behaviour": "blocked", "chat_ids": list(chat_ids)}
        self.call("PUT", "telegram/chats", order)

    def messages(self) -> list[Shown]:
        """Every message that arrived, oldest first."""
        return list(self._pages("telegram/messages", "messages", "message_id"))

    # Bad luck.

    def fault(self, **order: Any) -> None:
        self.call("POST", "faults", order)

    def faults_end(self) -> list[Shown]:
        """No fault from now on; returns those that were ordered, with their strikes."""
        found: list[Shown] = self.call("GET", "faults")["faults"]
        self.call("DELETE", "faults")
        return found

    def calls(self) -> dict[str, int]:
        """How often each service was asked."""
        return {
            name: int(self.call("GET", f"{name}/stats")["received"])
            for name in ("telegram", "remnawave", "cryptopay")
        }

    def _pages(self, path: str, name: str, key: str) -> Iterator[Shown]:
        after_id = 0
        while True:
            page: list[Shown] = self.call("GET", path, after_id=after_id, limit=PAGE)[name]
            yield from page
            if len(page) < PAGE:
                return
            after_id = page[-1][key]
