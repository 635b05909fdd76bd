"""The two languages that panels speak, and which one a version means (contract, section 0).

v2.7   users by uuid, lists by page only
v2.8   users by uuid, lists by cursor too
v3     users by number
"""

import re
from dataclasses import dataclass
from enum import Enum


class Dialect(Enum):
    """How a panel wants to be asked. `value` is for people and for the stored row."""

    V27 = "v2.7"
    V28 = "v2.8"
    V3 = "v3"

    @property
    def has_stream(self) -> bool:
        """Whether /api/users/stream exists: keyset paging, which misses nobody."""
        return self is not Dialect.V27

    @property
    def keys_by_uuid(self) -> bool:
        """Whether users are named by uuid rather than by number."""
        return self is not Dialect.V3


@dataclass(frozen=True, slots=True)
class PanelVersion:
    """What /api/system/metadata says. dialect is None for a panel that we do not know."""

    text: str
    dialect: Dialect | None

    @property
    def problem(self) -> str | None:
        """Why we do not speak with this panel, in words; None: we do."""
        if self.dialect is not None:
            return None
        return f"version {self.text[:40]} of the panel is not one that we know (2.7 to 3.x)"


def version_read(text: str) -> PanelVersion:
    """The dialect of a version such as "3.3.2", "2.8.1-rc.1" or "v2.7.4"."""
    match = re.match(r"v?(\d+)\.(\d+)", text)
    if match is None:
        return PanelVersion(text, None)
    major, minor = int(match[1]), int(match[2])
    if major == 3:
        return PanelVersion(text, Dialect.V3)
    if major == 2 and minor >= 8:
        return PanelVersion(text, Dialect.V28)
    if major == 2 and minor == 7:
        return PanelVersion(text, Dialect.V27)
    return PanelVersion(text, None)
