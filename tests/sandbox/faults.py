"""Faults to order: what a service shall do wrong, how often, and for how long.

    status        answer with a status (and body) of your choice; record=true lets the call happen
    rate_limit    429 with retry_after
    html_502      the HTML page of a broken edge
    latency       answer late; the call happens at once, so a caller who gives up does not know
    cut_before    close the connection before anything happened
    cut_after     let the call happen, then close the connection: the unknown outcome
    down          close every connection for for_s seconds

Latencies add up; of the other kinds the oldest order that strikes decides.
"""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from random import Random
from typing import Any

KEEP_SPENT = 100


class FaultInvalid(ValueError):
    """An order that cannot be carried out; the text says which field and why."""


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    RATE_LIMIT = "rate_limit"
    HTML_502 = "html_502"
    LATENCY = "latency"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    DOWN = "down"


@dataclass(slots=True)
class Fault:
    """One order. Empty filters match every call of the service.

    share is the part of the matching calls that is struck, drawn from a generator with this seed:
    the same order strikes the same calls again. times bounds the strikes, for_s the time.
    """

    service: str
    kind: Kind
    method: str | None = None
    chat_id: int | None = None
    status: int = 500
    body: Any = None
    retry_after: int = 5
    record: bool = False
    share: float = 1.0
    seed: int = 0
    latency_ms: int = 0
    times: int | None = None
    for_s: float | None = None
    number: int = 0
    struck: int = 0
    ends_at: float | None = None  # time.monotonic
    draw: Random = field(default_factory=Random)

    def matches(self, method: str, chat_id: int | None) -> bool:
        return (self.method is None or self.method == method.lower()) and (
            self.chat_id is None or self.chat_id == chat_id
        )

    def is_spent(self, now: float) -> bool:
        return (self.times is not None and self.struck >= self.times) or (
            self.ends_at is not None and now >= self.ends_at
        )

    def as_json(self, now: float) -> dict[str, Any]:
        return {
            "id": self.number,
            "service": self.service,
            "kind": self.kind.value,
            "method": self.method,
            "chat_id": self.chat_id,
            "status": self.status,
            "body": self.body,
            "retry_after": self.retry_after,
            "record": self.record,
            "share": self.share,
            "seed": self.seed,
            "latency_ms": self.latency_ms,
            "times": self.times,
            "for_s": self.for_s,
            "struck": self.struck,
            "is_active": not self.is_spent(now),
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall happen to one call: a delay, and at most one fault besides."""

    latency_s: float
    fault: Fault | None


class FaultBook:
    """All orders, oldest first. One event loop uses it, so it needs no lock."""

    def __init__(self, services: Collection[str]) -> None:
        self._services = frozenset(services)
        self._active: list[Fault] = []
        self._spent: deque[Fault] = deque(maxlen=KEEP_SPENT)
        self._numbers = count(1)

    def order(self, order: dict[str, Any]) -> Fault:
        """Accept an order as it came in JSON. Raises FaultInvalid."""
        fault = _read_order(order, self._services)
        fault.number = next(self._numbers)
        self._active.append(fault)
        return fault

    def is_any(self) -> bool:
        """Whether anything is ordered."""
        return bool(self._active)

    def plan(self, service: str, method: str, chat_id: int | None = None) -> Plan | None:
        """Decide on one call, and count the strikes. None is the usual answer: nothing ordered."""
        if not self._active:
            return None
        now = time.monotonic()
        latency_ms, decisive = 0, None
        for fault in self._drop_spent(now):
            if fault.service != service or not fault.matches(method, chat_id):
                continue
            if fault.kind is not Kind.LATENCY and decisive is not None:
                continue
            if fault.share < 1 and fault.draw.random() >= fault.share:
                continue
            fault.struck += 1
            latency_ms += fault.latency_ms
            if fault.kind is not Kind.LATENCY:
                decisive = fault
        if not latency_ms and decisive is None:
            return None
        return Plan(latency_ms / 1000, decisive)

    def as_json(self) -> list[dict[str, Any]]:
        """Active orders and the last spent ones, by id."""
        now = time.monotonic()
        known = [*self._spent, *self._drop_spent(now)]
        return [fault.as_json(now) for fault in sorted(known, key=lambda fault: fault.number)]

    def clear(self, service: str | None = None, number: int | None = None) -> int:
        """Forget orders, all or those of a service or the one with a number; return how many."""

        def stays(fault: Fault) -> bool:
            return (service is not None and fault.service != service) or (
                number is not None and fault.number != number
            )

        before = len(self._active)
        self._active = [fault for fault in self._active if stays(fault)]
        self._spent = deque((fault for fault in self._spent if stays(fault)), maxlen=KEEP_SPENT)
        return before - len(self._active)

    def _drop_spent(self, now: float) -> list[Fault]:
        self._spent.extend(fault for fault in self._active if fault.is_spent(now))
        self._active = [fault for fault in self._active if not fault.is_spent(now)]
        return self._active


_FIELDS: dict[str, tuple[type, ...]] = {
    "service": (str,),
    "kind": (str,),
    "method": (str,),
    "chat_id": (int,),
    "status": (int,),
    "body": (dict, list, str),
    "retry_after": (int,),
    "record": (bool,),
    "share": (int, float),
    "seed": (int,),
    "latency_ms": (int,),
    "times": (int,),
    "for_s": (int, float),
}
_BOUNDS: dict[str, tuple[float, float]] = {
    "status": (200, 599),
    "retry_after": (1, 86_400),
    "share": (0, 1),
    "latency_ms": (0, 600_000),
    "times": (1, 1_000_000_000),
    "for_s": (0.001, 86_400),
}


def _read_order(order: dict[str, Any], services: Collection[str]) -> Fault:
    given = {name: value for name, value in order.items() if value is not None}
    for name, value in given.items():
        _check_field(name, value)
    if given.get("service") not in services:
        raise FaultInvalid(f"service must be one of {', '.join(sorted(services))}")
    if given.get("kind") not in list(Kind):
        raise FaultInvalid(f"kind must be one of {', '.join(Kind)}")
    fault = Fault(**{**given, "kind": Kind(given["kind"])})
    if fault.kind is Kind.LATENCY and not fault.latency_ms:
        raise FaultInvalid("latency needs latency_ms")
    if fault.kind is Kind.DOWN and fault.for_s is None:
        raise FaultInvalid("down needs for_s")
    if fault.method is not None:
        fault.method = fault.method.lower()
    if fault.for_s is not None:
        fault.ends_at = time.monotonic() + fault.for_s
    fault.draw.seed(fault.seed)
    return fault


def _check_field(name: str, value: Any) -> None:
    types = _FIELDS.get(name)
    if types is None:
        raise FaultInvalid(f"{name} is unknown; known are {', '.join(_FIELDS)}")
    fits = isinstance(value, types) and not (isinstance(value, bool) and bool not in types)
    if not fits:
        raise FaultInvalid(f"{name} must be {' or '.join(kind.__name__ for kind in types)}")
    least, most = _BOUNDS.get(name, (0, 0))
    if name in _BOUNDS and not least <= float(value) <= most:
        raise FaultInvalid(f"{name} must be between {least:g} and {most:g}")
