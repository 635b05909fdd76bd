"""Whether a JSON value fits the annotation of a parameter, and how to name that annotation."""

import types
import typing
from typing import Any
from uuid import UUID

_JSON: dict[type, tuple[type, ...]] = {
    float: (int, float),
    UUID: (str, UUID),
    tuple: (list, tuple),
    set: (list,),
}


def fits(value: object, hint: Any) -> bool:
    """Does a JSON value fit an annotation? Unknown annotations fit everything."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        return any(fits(value, part) for part in typing.get_args(hint))
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if hint is None or hint is type(None):
        return value is None
    target = origin or hint
    if target is Any or not isinstance(target, type):  # Any is a class since Python 3.11
        return True
    if isinstance(value, bool) and target in {int, float}:
        return False
    if target is UUID and isinstance(value, str):
        try:
            UUID(value)
        except ValueError:
            return False
        return True
    if not isinstance(value, _JSON.get(target, (target,))):
        return False
    parts = typing.get_args(hint)
    if target is list and parts and isinstance(value, list):
        return all(fits(item, parts[0]) for item in value)
    return True


def hint_say(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
