"""One user of the panel, held small: a million of them fit into half a gigabyte."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """Only ACTIVE and DISABLED can be set from outside; the panel derives the others."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    LIMITED = "LIMITED"
    EXPIRED = "EXPIRED"


class Strategy(StrEnum):
    """When the panel itself sets the used traffic back to 0."""

    NO_RESET = "NO_RESET"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    MONTH_ROLLING = "MONTH_ROLLING"


class Keys(NamedTuple):
    """Names and secrets of a user that nobody chooses. uuid exists in v2 only."""

    uuid: str
    short_uuid: str
    trojan_password: str
    ss_password: str
    vless_uuid: str


@dataclass(slots=True)
class PanelUser:
    """A row. Moments are unix milliseconds. Keys are computed unless somebody chose them."""

    id: int
    username: str
    status: Status
    expire_ms: int
    created_ms: int
    updated_ms: int
    limit_bytes: int = 0
    strategy: Strategy = Strategy.NO_RESET
    telegram_id: int | None = None
    email: str | None = None
    description: str | None = None
    tag: str | None = None
    hwid_limit: int | None = None
    external_squad: str | None = None
    squads: tuple[str, ...] = ()
    used_bytes: int = 0
    lifetime_bytes: int = 0
    online_ms: int | None = None
    first_connected_ms: int | None = None
    last_node: str | None = None
    threshold: int = 0
    revoked_ms: int | None = None
    reset_ms: int | None = None
    generation: int = 0  # grows when the keys are drawn anew
    chosen: dict[str, str] | None = None  # keys by name that were given, not computed

    def keys(self) -> Keys:
        """The same ones at every call until the next generation."""
        drawn = hashlib.shake_128(b"%d:%d" % (self.id, self.generation)).hexdigest(56)
        uuid = hashlib.md5(b"%d" % self.id, usedforsecurity=False).hexdigest()
        keys = Keys(
            _rfc_uuid(uuid), drawn[:16], drawn[16:48], drawn[48:80], _rfc_uuid(drawn[80:112])
        )
        return keys._replace(**self.chosen) if self.chosen else keys


def _rfc_uuid(digits: str) -> str:
    """32 hexadecimal digits as a version 4 uuid."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
