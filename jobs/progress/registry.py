"""Which operations have a progress page. An app registers its kind in AppConfig.ready():

    progress_register("broadcast", find, permission="broadcasts.view_broadcast", acts={
        "pause": Act("Pause", "broadcasts.send_broadcast", pause, "Nothing more is sent until ..."),
    })

Ids are UUIDs that no two kinds share, so an address needs no kind: /progress/<uuid>.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from jobs.progress.snapshot import Progress
from lib.errors import DomainError, NotFound

Find = Callable[[UUID], Progress | None]
Run = Callable[[UUID, Any], object]

_REMEMBERED = 4096  # ids whose kind is known


class OperationUnknown(NotFound):
    """There is no operation with this id."""

    code = "operation_unknown"


class ActImpossible(DomainError):
    """The operation cannot do this as it is now."""

    code = "act_impossible"


class ActForbidden(DomainError):
    """This act takes a permission of its own."""

    code = "permission_denied"
    status = 403


@dataclass(frozen=True, slots=True)
class Act:
    """What a person may do to an operation. run(id, by) raises DomainError to refuse.

    sentence: what it will do, shown before it is done; empty: it is done at once.
    """

    title: str
    permission: str
    run: Run
    sentence: str = ""
    tone: str = ""  # "danger" or "primary"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of operation: how it is found, and who may look."""

    name: str
    find: Find
    permission: str
    acts: Mapping[str, Act] = field(default_factory=dict)


_kinds: dict[str, Kind] = {}
_known: OrderedDict[UUID, str] = OrderedDict()
_lock = threading.Lock()  # requests have a thread each


def progress_register(
    name: str, find: Find, *, permission: str, acts: Mapping[str, Act] | None = None
) -> None:
    """Give operations of a kind a progress page.

    find(id) gives a look at an operation, or None if the id is not of this kind; it is called up to
    twice a second per operation that is watched and per web process, so it reads few rows. A second
    registration of a name is refused, unless it is the same one.
    """
    kind = Kind(name, find, permission, dict(acts or {}))
    if _kinds.get(name, kind).find is not find:
        raise ValueError(f"progress of {name!r} is registered already")
    _kinds[name] = kind


def operation_find(operation_id: UUID) -> tuple[Kind, Progress]:
    """An operation and its kind, by one find; by one per kind for a new id. Raises OperationUnknown."""
    known = _known.get(operation_id)
    names = ([known] if known in _kinds else []) + [name for name in _kinds if name != known]
    for name in names:
        progress = _kinds[name].find(operation_id)
        if progress is not None:
            _remember(operation_id, name)
            return _kinds[name], progress
    with _lock:
        _known.pop(operation_id, None)
    raise OperationUnknown(f"there is no operation {operation_id}")


def operation_act(operation_id: UUID, name: str, *, by: Any) -> Progress:
    """Do an act, and look again.

    Raises OperationUnknown, ActImpossible, ActForbidden, or what the act itself raises.
    """
    kind, progress = operation_find(operation_id)
    act = kind.acts.get(name)
    if act is None:
        raise ActImpossible(f"a {kind.name} has no act {name!r}")
    if not by.has_perm(act.permission):
        raise ActForbidden(f"This needs the permission {act.permission}.")
    if name not in progress.actions:
        raise ActImpossible(f"{progress.title!r} is {progress.state}: {name} is not possible now")
    act.run(operation_id, by)
    return operation_find(operation_id)[1]


def _remember(operation_id: UUID, name: str) -> None:
    with _lock:
        _known[operation_id] = name
        _known.move_to_end(operation_id)
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
