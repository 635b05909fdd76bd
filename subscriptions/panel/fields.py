"""Reading JSON of the panel field by field. What is missing or of another kind is a ContractDiffers,
never a guess: a field that a newer panel dropped would otherwise empty ours."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")


class ContractDiffers(Exception):
    """A field is not as the contract has it; the text is its path and what was found."""


class Fields:
    """One JSON object. `where` is its place in the answer, for the error."""

    __slots__ = ("raw", "where")

    def __init__(self, raw: Any, where: str) -> None:
        if not isinstance(raw, dict):
            raise ContractDiffers(f"{where} is {_kind(raw)}, not an object")
        self.raw: dict[str, Any] = raw
        self.where = where

    def need(self, name: str, read: Callable[[Any], T]) -> T:
        """A field that must be there and must not be null."""
        try:
            value = self.raw[name]
        except KeyError:
            raise ContractDiffers(f"{self.where}.{name} is missing") from None
        try:
            return read(value)
        except (TypeError, ValueError, OverflowError, AttributeError):
            found = _kind(value)
        raise ContractDiffers(f"{self.where}.{name} is {found} that we cannot read")

    def may(self, name: str, read: Callable[[Any], T]) -> T | None:
        """A field that must be there and may be null."""
        if name in self.raw and self.raw[name] is None:
            return None
        return self.need(name, read)

    def child(self, name: str) -> "Fields":
        """An object within this one."""
        return Fields(self.need(name, _as_is), f"{self.where}.{name}")

    def child_or_none(self, name: str) -> "Fields | None":
        """An object or null within this one."""
        return None if self.may(name, _as_is) is None else self.child(name)

    def children(self, name: str) -> list["Fields"]:
        """A list of objects within this one."""
        return objects(self.need(name, _as_is), f"{self.where}.{name}")


def objects(raw: Any, where: str) -> list[Fields]:
    """A list of objects."""
    if not isinstance(raw, list):
        raise ContractDiffers(f"{where} is {_kind(raw)}, not a list")
    return [Fields(each, where) for each in raw]


def moment(value: str) -> datetime:
    """An ISO time as an aware one in UTC."""
    found = datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def whole(value: Any) -> int:
    """A whole number; JSON of the panel may write 1.0."""
    if type(value) is int:
        return value
    if not isinstance(value, float) or not value.is_integer():
        raise ValueError(value)
    return int(value)


def number(value: Any) -> float:
    """Any number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value)


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def flag(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(map(text, _list(value)))


def wholes(value: Any) -> tuple[int, ...]:
    """A list of whole numbers."""
    return tuple(map(whole, _list(value)))


def numbers(value: Any) -> tuple[float, ...]:
    """A list of numbers."""
    return tuple(map(number, _list(value)))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _as_is(value: Any) -> Any:
    return value


_KINDS = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}


def _kind(value: Any) -> str:
    """What it is, never what it says: an answer may hold secrets."""
    return "null" if value is None else _KINDS.get(type(value), f"a {type(value).__name__}")
