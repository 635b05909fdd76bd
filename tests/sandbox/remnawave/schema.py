"""Reading input as the panel's schemas do: unknown keys are dropped, issues are collected."""

import math
import re
from collections.abc import Mapping
from typing import Any

from tests.sandbox.remnawave.errors import PanelError, invalid
from tests.sandbox.remnawave.times import read_iso

UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
SAFE_INTEGER = 2**53 - 1
_MISSING = object()


class Reader:
    """Reads one JSON object or query string; what was sound stands in `found`."""

    def __init__(
        self,
        content: Any,
        *,
        path: tuple[str, ...] = (),
        is_query: bool = False,
        issues: list[dict[str, Any]] | None = None,
    ) -> None:
        self.issues = [] if issues is None else issues
        self.found: dict[str, Any] = {}
        self._path = path
        self._is_query = is_query
        self._content: Mapping[str, Any] = {}
        if isinstance(content, Mapping):
            self._content = content
        else:
            self._wrong_type("object", content)

    def integer(
        self,
        name: str,
        *,
        least: int = -SAFE_INTEGER,
        most: int = SAFE_INTEGER,
        nullable: bool = False,
        required: bool = False,
    ) -> None:
        value = self._value(name, nullable=nullable, required=required)
        if value is _MISSING:
            return
        if self._is_query:
            value = _number(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong_type("number", value, name)
        elif value < least:
            self._issue("too_small", name, f"Too small: expected number to be >={least}")
        elif value > most:
            self._issue("too_big", name, f"Too big: expected number to be <={most}")
        else:
            self.found[name] = value

    def text(
        self,
        name: str,
        *,
        pattern: re.Pattern[str] | None = None,
        least: int = 0,
        most: int | None = None,
        nullable: bool = False,
        required: bool = False,
    ) -> None:
        value = self._value(name, nullable=nullable, required=required)
        if value is _MISSING:
            return
        if not isinstance(value, str):
            self._wrong_type("string", value, name)
        elif len(value) < least:
            self._issue("too_small", name, f"Too small: expected string to have >={least}")
        elif most is not None and len(value) > most:
            self._issue("too_big", name, f"Too big: expected string to have <={most} characters")
        elif pattern is not None and not pattern.fullmatch(value):
            self._issue("invalid_format", name, "Invalid string: must match its pattern")
        else:
            self.found[name] = value

    def choice(self, name: str, values: list[str], *, required: bool = False) -> None:
        value = self._value(name, required=required)
        if value is _MISSING:
            return
        if value in values:
            self.found[name] = value
        else:
            words = f"Invalid option: expected one of {'|'.join(values)}"
            self._issue("invalid_value", name, words, values=values)

    def boolean(self, name: str, *, required: bool = False) -> None:
        value = self._value(name, required=required)
        if value is _MISSING:
            return
        if isinstance(value, bool):
            self.found[name] = value
        else:
            self._wrong_type("boolean", value, name)

    def moment(self, name: str, *, after_ms: int | None = None, required: bool = False) -> None:
        """An ISO time, found as unix milliseconds; after_ms refuses what is not later."""
        value = self._value(name, required=required)
        if value is _MISSING:
            return
        try:
            found = read_iso(value) if isinstance(value, str) else None
        except (ValueError, OverflowError):
            found = None
        if found is None:
            self._issue("invalid_format", name, "Invalid ISO datetime")
        elif after_ms is not None and found <= after_ms:
            self._issue("custom", name, "Expiration date cannot be in the past")
        else:
            self.found[name] = found

    def uuids(self, name: str, *, required: bool = False, most: int | None = None) -> None:
        """A list of uuids, in lower case and each once."""
        self._list(name, required=required, least=0, most=most)
        values = self.found.get(name)
        if values is None:
            return
        if all(isinstance(value, str) and UUID.fullmatch(value) for value in values):
            self.found[name] = list(dict.fromkeys(value.lower() for value in values))
        else:
            del self.found[name]
            self._issue("invalid_format", name, "Invalid UUID")

    def numbers(self, name: str, *, most: int) -> None:
        """A list of 1 to most whole numbers above 0."""
        self._list(name, required=True, least=1, most=most)
        values = self.found.get(name)
        if values is None:
            return
        if not all(type(value) is int and value > 0 for value in values):
            del self.found[name]
            self._issue("invalid_type", name, "Invalid input: expected number", expected="number")

    def nested(self, name: str) -> "Reader":
        """The object below a required key; its issues are collected here."""
        value = self._content.get(name, _MISSING)
        shown = None if value is _MISSING else value
        return Reader(shown, path=(*self._path, name), issues=self.issues)

    def has(self, name: str) -> bool:
        return self._content.get(name, _MISSING) is not _MISSING

    def complain(self, words: str) -> None:
        """An issue of the whole object."""
        self.issues.append({"code": "custom", "path": list(self._path), "message": words})

    def finish(self) -> dict[str, Any]:
        """What was found. Raises PanelError 400 with all issues."""
        if self.issues:
            raise self.error()
        return self.found

    def error(self) -> PanelError:
        return invalid(self.issues)

    def _list(self, name: str, *, required: bool, least: int, most: int | None) -> None:
        value = self._value(name, required=required)
        if value is _MISSING:
            return
        if not isinstance(value, list):
            self._wrong_type("array", value, name)
        elif len(value) < least:
            self._issue("too_small", name, f"Too small: expected array to have >={least} items")
        elif most is not None and len(value) > most:
            self._issue("too_big", name, f"Too big: expected array to have <={most} items")
        else:
            self.found[name] = value

    def _value(self, name: str, *, nullable: bool = False, required: bool = False) -> Any:
        value = self._content.get(name, _MISSING)
        if value is None and nullable:
            self.found[name] = None
            return _MISSING
        if value is _MISSING and required:
            self._wrong_type("value", value, name)
        return value

    def _wrong_type(self, expected: str, value: Any, *path: str) -> None:
        received = _type_name(value)
        self.issues.append(
            {
                "expected": expected,
                "code": "invalid_type",
                "received": received,
                "path": [*self._path, *path],
                "message": f"Invalid input: expected {expected}, received {received}",
            }
        )

    def _issue(self, code: str, name: str, message: str, **more: Any) -> None:
        self.issues.append({"code": code, "path": [*self._path, name], "message": message, **more})


def _number(text: Any) -> Any:
    """A number of a query string or path; what is none stays a text."""
    if isinstance(text, str) and re.fullmatch(r"\s*[+-]?\d{1,16}\s*", text):
        return int(text)
    return text if isinstance(text, int) else float("nan")


def _type_name(value: Any) -> str:
    if value is _MISSING:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float) and math.isnan(value):  # as Number() gives it
        return "NaN"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "object"
