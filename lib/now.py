"""What needs a person now: the first thing that an operator sees in the admin.

An app registers a function beside its models; it is asked each time the page is drawn, so it costs
a query or two on an index and counts no big table.

    @attention(order=10, permission="jobs.view_job")
    def dead_letters() -> Attention:
        count = Job.objects.dead().count()
        return Attention("Dead jobs", count, Severity.CRITICAL, url, "Replay or discard them.")
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

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
    """One thing. count 0 means nothing; url leads to where it is put right; hint says how."""

    title: str
    count: int
    severity: Severity
    url: str = ""
    hint: str = ""


Found = Attention | Iterable[Attention] | None
Source = Callable[[], Found]


@dataclass(frozen=True)
class _Registered:
    order: int
    permission: str | None
    source: Source


_sources: dict[str, _Registered] = {}


def attention(*, order: int = 100, permission: str | None = None) -> Callable[[Source], Source]:
    """Register a function; lower orders come first within a severity.

    permission hides what it finds from everybody who does not hold it.
    """

    def register(source: Source) -> Source:
        name = f"{source.__module__}.{source.__qualname__}"
        _sources[name] = _Registered(order, permission, source)
        return source

    return register


def gather(user: "AbstractBaseUser | AnonymousUser") -> list[Attention]:
    """All that this user may see, the worst first. A source that fails is itself shown."""
    found: list[tuple[int, int, Attention]] = []
    for name, registered in _sources.items():
        if registered.permission and not _may(user, registered.permission):
            continue
        found += [
            (-item.severity, registered.order, item)
            for item in _asked(name, registered.source)
            if item.count
        ]
    return [item for _, _, item in sorted(found, key=lambda entry: entry[:2])]


def _asked(name: str, source: Source) -> list[Attention]:
    try:
        items = source()
        return [items] if isinstance(items, Attention) else list(items or ())
    except Exception:
        logger.exception("%s cannot tell what needs attention", name)
        hint = "It raised an error; the log has the traceback."
        return [Attention(f"The check {name} failed", 1, Severity.WARNING, hint=hint)]


def _may(user: Any, permission: str) -> bool:
    return bool(user.has_perm(permission))
