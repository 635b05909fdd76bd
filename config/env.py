"""Typed readers of the environment. A wrong value stops the start with a sentence that names it.

A secret may come from a file: NAME_FILE holds the path, its content (stripped) is the value.
"""

import os
import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from lib import durations


class SettingInvalid(ImproperlyConfigured):
    """An environment variable has a value that cannot be used."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(f"{name} {sentence}")
        self.name = name


def text(name: str, default: str = "") -> str:
    """The value as it stands, or from NAME_FILE. SettingInvalid: both, or an unreadable file."""
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value and path:
        raise SettingInvalid(name, f"and {name}_FILE are both set; keep one of them.")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as exc:
            raise SettingInvalid(f"{name}_FILE", f"cannot be read: {exc.strerror}.") from None
    return value if value is not None and value != "" else default


def boolean(name: str, *, default: bool) -> bool:
    """1, true, yes, on or 0, false, no, off."""
    raw = text(name).lower()
    if raw == "":
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise SettingInvalid(name, f"is {raw!r}; it must be 1 or 0 (also true, false, yes, no).")


def integer(name: str, default: int, *, least: int | None = None, most: int | None = None) -> int:
    """A whole number within bounds."""
    raw = text(name)
    if raw == "":
        return default
    try:
        value = int(raw)
    except ValueError:
        raise SettingInvalid(name, f"is {raw!r}; it must be a whole number.") from None
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"between {least} and {most}"
        raise SettingInvalid(name, f"is {value}; it must be {bounds}.")
    return value


def span(name: str, default: str) -> timedelta:
    """A span of time: "30s", "5m", or a number of seconds."""
    raw = text(name, default)
    try:
        return durations.parse(float(raw) if _is_number(raw) else raw)
    except durations.DurationInvalid:
        raise SettingInvalid(
            name, f"is {raw!r}; it must be a span such as 30s, 5m, 1h or seconds."
        ) from None


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A list, separated by commas."""
    raw = text(name)
    return [part.strip() for part in raw.split(",") if part.strip()] if raw else list(default)


def integers(name: str) -> list[int]:
    """A list of whole numbers, separated by commas."""
    try:
        return [int(part) for part in words(name)]
    except ValueError:
        raise SettingInvalid(
            name, f"is {text(name)!r}; it must be whole numbers separated by commas."
        ) from None


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words, in any case."""
    value = text(name, default)
    for word in allowed:
        if value.lower() == word.lower():
            return word
    raise SettingInvalid(name, f"is {value!r}; it must be one of {', '.join(allowed)}.")


def url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """An address with one of the schemes, without a slash at its end."""
    value = text(name, default)
    if value and urlsplit(value).scheme not in schemes:
        # The value itself may hold a password, so it is not shown.
        raise SettingInvalid(
            name, f"must be an address that begins with {' or '.join(schemes)}://."
        )
    return value if "?" in value else value.rstrip("/")


def rate(name: str, default: str) -> str:
    """Requests per second, minute, hour or day: "2000/s", "10/min"."""
    value = text(name, default)
    if not re.fullmatch(r"[1-9][0-9]{0,8}/(s|sec|m|min|h|hour|d|day)", value, re.ASCII):
        raise SettingInvalid(name, f"is {value!r}; it must be a rate such as 2000/s or 10/min.")
    return value


def networks(name: str, default: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    """Addresses or networks, separated by commas: "127.0.0.0/8, 10.1.2.3"."""
    found = []
    for part in words(name, default):
        try:
            found.append(ip_network(part))
        except ValueError:
            raise SettingInvalid(
                name, f"has {part!r}; it must be addresses or networks such as 10.0.0.0/8."
            ) from None
    return found


def _is_number(raw: str) -> bool:
    try:
        float(raw)
    except ValueError:
        return False
    return True
