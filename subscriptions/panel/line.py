"""The line to the panel: one request at a time, in its dialect, under our limits. Never repeats a write."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from lib import http
from subscriptions.panel.answers import Misspoken, payload_of
from subscriptions.panel.contract import Contract, MemoryContract
from subscriptions.panel.dialects import Dialect, PanelVersion, version_read
from subscriptions.panel.errors import PanelAway, PanelError, PanelHeld, PanelUnknown
from subscriptions.panel.fields import ContractDiffers
from subscriptions.panel.nodes_wire import version_text_read

T = TypeVar("T")

SERVICE = "remnawave"
ASKING_S = 2.0  # to wait for another thread that asks for the version
MAX_BODY_BYTES = 16 * 1024 * 1024  # a page of 1000 users is about 1 MB
# Outside development the panel drops the connection of whoever did not come through a proxy.
PROXY_HEADERS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. path may hold ids, so that `label` stands for it in logs and metrics."""

    method: str
    path: str
    label: str
    params: Mapping[str, Any] | None = None
    json: Any = None


class Turn(Protocol):
    """Entered around requests: limits, breaker (subscriptions/panel/limits.py)."""

    def __call__(self) -> AbstractContextManager[object]:
        """Around one request."""

    def visit(self, calls: int) -> AbstractContextManager[object]:
        """Around a few requests of this thread, one after the other."""


class FreeTurn:
    """No limits."""

    def __call__(self) -> AbstractContextManager[object]:
        return nullcontext()

    def visit(self, calls: int) -> AbstractContextManager[object]:
        return nullcontext()


UuidsOf = Callable[[Sequence[int]], Mapping[int, UUID]]
Make = Callable[[Dialect], Ask]


class PanelLine:
    """What all calls have in common. Safe to share among threads and over a fork."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        contract: Contract | None = None,
        turn: Turn | None = None,
        uuids_of: UuidsOf | None = None,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 30.0,
        total_timeout_s: float = 60.0,
        pool_size: int = 8,
        has_proxy_headers: bool = True,
        headers: Mapping[str, str] | None = None,
        cookie: str = "",
        observe: Callable[[http.Call], None] | None = None,
    ) -> None:
        """base_url stands before /api. turn is entered around every request (limits, breaker).

        uuids_of tells the uuids of users that we know, for panels of v2; others are asked for.
        headers and cookie go out with every request (a proxy may want them) and are kept secret.
        """
        sent = dict(PROXY_HEADERS) if has_proxy_headers else {}
        sent |= {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        sent |= {"Cookie": cookie} if cookie else {}
        sent |= headers or {}
        self.contract: Contract = contract or MemoryContract()
        self._turn = turn or FreeTurn()
        self._asking = threading.Lock()
        self._uuids_of: UuidsOf = uuids_of or (lambda ids: {})
        self._door = http.HttpDoor(
            SERVICE,
            f"{base_url.rstrip('/')}/api",
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            total_timeout_s=total_timeout_s,
            pool_size=pool_size,
            max_body_bytes=MAX_BODY_BYTES,
            headers=sent,
            secrets=(token, cookie, *(headers or {}).values()),
            observe=observe,
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._door.close()

    def visit(self, calls: int) -> AbstractContextManager[object]:
        """Around `calls` requests of this thread: one turn for all of them. Raises PanelWaits."""
        return self._turn.visit(calls)

    def metadata(self) -> PanelVersion:
        """Ask the panel for its version, and tell the contract. Raises PanelError."""
        try:
            text = self._send(Ask("GET", "system/metadata", "system/metadata"), version_text_read)
        except Misspoken:
            version = PanelVersion("before 2.5", None)
        else:
            version = version_read(text)
        self.contract.learn(version)
        return version

    def _dialect(self, *, is_fresh: bool = False) -> Dialect:
        known = None if is_fresh else self.contract.dialect()
        if known is not None:
            return known
        # After a quiet time many threads miss it at once: one asks, and the others read its answer.
        # Nobody waits long for it: who asks a panel that hangs finds that out by himself.
        is_ours = self._asking.acquire(timeout=ASKING_S)
        try:
            known = None if is_fresh else self.contract.dialect()
            if known is not None:
                return known
            version = self.metadata()
        finally:
            if is_ours:
                self._asking.release()
        if version.dialect is None:
            raise PanelHeld(version.problem or "")
        return version.dialect

    def _read(self, make: Make, parse: Callable[[Any], T]) -> T:
        """Ask for something. Not understood: once more, if the panel has changed its dialect."""
        dialect = self._dialect()
        try:
            return self._send(make(dialect), parse)
        except Misspoken as exc:
            before, misspoken = dialect, exc
        now = self._dialect(is_fresh=True)
        if now is not before:
            try:
                return self._send(make(now), parse)
            except Misspoken as exc:
                misspoken = exc
        raise self._judged(misspoken)

    def _write(self, make: Make, parse: Callable[[Any], T]) -> T:
        """Change something, once. Not understood: never in the new dialect before it was checked."""
        self._check_hold()
        dialect = self._dialect()
        self._check_hold()  # the version that was just read may hold writes
        try:
            return self._send(make(dialect), parse, writes=True)
        except Misspoken as exc:
            misspoken = exc
        if self._dialect(is_fresh=True) is not dialect:
            self._check_hold()
            raise PanelHeld("it changed its dialect")
        raise self._judged(misspoken)

    def _check_hold(self) -> None:
        reason = self.contract.held()
        if reason is not None:
            raise PanelHeld(reason)

    def _judged(self, misspoken: Misspoken) -> PanelError:
        if isinstance(misspoken.error, PanelHeld):
            self.contract.differs(misspoken.error.reason)
        return misspoken.error

    def _send(self, ask: Ask, parse: Callable[[Any], T], *, writes: bool = False) -> T:
        with self._turn():
            payload = self._exchange(ask, writes=writes)
        if isinstance(payload, ContractDiffers):
            found = str(payload)
        else:
            try:
                return parse(payload)
            except ContractDiffers as exc:
                found = str(exc)
        self.contract.differs(found)
        if writes:  # it was carried out, probably; its answer does not tell
            raise PanelUnknown(f"{ask.label}: {found}")
        raise PanelHeld(f"{ask.label}: {found}")

    def _exchange(self, ask: Ask, *, writes: bool) -> Any:
        """The payload; a ContractDiffers as a value, for the panel itself is well."""
        try:
            answer = self._door.request(
                ask.method, ask.path, params=ask.params, json=ask.json, label=ask.label
            )
        except http.Unreachable as exc:
            raise PanelAway(exc.reason) from exc
        except http.HttpFailure as exc:
            raise (PanelUnknown if writes else PanelAway)(exc.reason) from exc
        try:
            return payload_of(answer, writes=writes, mask=self._door.mask)
        except ContractDiffers as exc:
            return exc


def nothing(_: Any) -> None:
    """Reads answers that say nothing, or nothing that counts."""
