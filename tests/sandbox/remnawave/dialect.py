"""Which panel answers: v3, or one of the last two of v2. They differ in names, keys and bodies."""

from dataclasses import dataclass, field

from tests.sandbox.service import ControlInvalid

# What a short name stands for: the newest panel of that line.
_LINES = {"3": "3.3.2", "2.8": "2.8.1", "2.7": "2.7.4"}
DEFAULT_VERSION = _LINES["3"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A panel version and what it can do.

    is_v3: users have a number only, writes answer with an empty body. has_stream: users/stream, token
    scopes and user.expiration came with 2.8.
    """

    version: str
    is_v3: bool = field(init=False)
    has_stream: bool = field(init=False)

    def __post_init__(self) -> None:
        major, minor = (int(part) for part in self.version.split(".")[:2])
        object.__setattr__(self, "is_v3", major >= 3)
        object.__setattr__(self, "has_stream", (major, minor) >= (2, 8))


def read_dialect(name: str) -> Dialect:
    """From "3", "2.8", "2.7" or a full version of these lines. Raises ControlInvalid."""
    version = _LINES.get(name, name)
    parts = version.split(".")
    is_known = len(parts) == 3 and all(part.isdigit() for part in parts)
    if not is_known or not (parts[0] == "3" or parts[:2] in (["2", "7"], ["2", "8"])):
        raise ControlInvalid(f"version must be one of {', '.join(_LINES)} or a full version of 3")
    return Dialect(version)
