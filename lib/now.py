"""What an operator sees first in the admin: numbers, and above all what needs a person now.

An app registers functions beside its models; they are asked each time the page is drawn, so they cost
a query or two on an index and count no big table.

    @attention(order=10, permission="jobs.view_job")
    def dead_letters() -> Attention:
        count = Job.objects.dead().count()
        return Attention("Dead jobs", count, Severity.CRITICAL, url, "Replay or discard them.")

    @figure(order=40, permission="jobs.view_queue")
    def oldest_due() -> Figure:
        return Figure("Oldest due job", "3 s", url=queues, hint="of 2 that wait")
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:  # models can be imported only when the apps are ready; this may come before
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

logger = logging.getLogger("switchboard.now")


class Severity(IntEnum):
    """How soon a person should look."""

    NOTICE = 1
    WARNING = 2
    CRITICAL = 3


@dataclass(frozen=True)
class Attention:
    """One thing. count 0 means nothing; url leads to where it is put right; hint says how.

    runbook: an anchor of docs/runbook.md, which says what it means and what to do.
    """

    title: str
    count: int
    severity: Severity
    url: str = ""
    hint: str = ""
    runbook: str = ""


@dataclass(frozen=True)
class Figure:
    """One number that is always shown. value: as people read it, with its unit.

    severity: none while all is well. url leads to the rows that it counts. hint: of when it is and in
    which zone, and what it is compared with. spark: values over time, the oldest first, with `before`
    for the time that it is compared with; both on the same scale. runbook: as of an Attention.
    """

    title: str
    value: str
    severity: Severity | None = None
    url: str = ""
    hint: str = ""
    runbook: str = ""
    spark: Sequence[float] = ()
    before: Sequence[float] = ()


Found = Attention | Iterable[Attention] | None
Source = Callable[[], Found]
Shown = Figure | Iterable[Figure] | None
Teller = Callable[[], Shown]
Item = TypeVar("Item", Attention, Figure)


@dataclass(frozen=True)
class _Registered(Generic[Item]):
    order: int
    permission: str | None
    source: Callable[[], Item | Iterable[Item] | None]


_sources: dict[str, _Registered[Attention]] = {}
_figures: dict[str, _Registered[Figure]] = {}


def attention(*, order: int = 100, permission: str | None = None) -> Callable[[Source], Source]:
    """Register a function; lower orders come first within a severity.

    permission hides what it finds from everybody who does not hold it.
    """

    def register(source: Source) -> Source:
        _sources[_name(source)] = _Registered(order, permission, source)
        return source

    return register


def figure(*, order: int = 100, permission: str | None = None) -> Callable[[Teller], Teller]:
    """Register a function whose numbers stand in the strip, by their order; permission as above."""

    def register(teller: Teller) -> Teller:
        _figures[_name(teller)] = _Registered(order, permission, teller)
        return teller

    return register


def gather(user: "AbstractBaseUser | AnonymousUser") -> list[Attention]:
    """All that this user may see, the worst first. A source that fails is itself shown."""
    found = [
        (-item.severity, order, item)
        for order, item in _asked(_sources, user, _failed_attention)
        if item.count
    ]
    return [item for _, _, item in sorted(found, key=lambda entry: entry[:2])]


def figures(user: "AbstractBaseUser | AnonymousUser") -> list[Figure]:
    """The numbers that this user may see, in their order. One that fails is shown as failing."""
    found = sorted(_asked(_figures, user, _failed_figure), key=lambda entry: entry[0])
    return [item for _, item in found]


def _asked(
    sources: dict[str, _Registered[Item]],
    user: "AbstractBaseUser | AnonymousUser",
    failed: Callable[[str], Item],
) -> list[tuple[int, Item]]:
    found: list[tuple[int, Item]] = []
    for name, registered in sources.items():
        if registered.permission and not _may(user, registered.permission):
            continue
        items: list[Item]
        try:
            answer = registered.source()
            items = [answer] if isinstance(answer, (Attention, Figure)) else list(answer or ())
        except Exception:
            logger.exception("%s cannot tell what it is about", name)
            items = [failed(name)]
        found += [(registered.order, item) for item in items]
    return found


_HINT = "It raised an error; the log has the traceback."


def _failed_attention(name: str) -> Attention:
    return Attention(f"The check {name} failed", 1, Severity.WARNING, hint=_HINT)


def _failed_figure(name: str) -> Figure:
    title = name.rsplit(".", 1)[-1].replace("_", " ").capitalize()
    return Figure(title, "?", Severity.WARNING, hint=_HINT)


def _name(source: Callable[..., Any]) -> str:
    return f"{source.__module__}.{source.__qualname__}"


def _may(user: Any, permission: str) -> bool:
    return bool(user.has_perm(permission))
