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
    """Names and secrets of a user that nobody chooses."""

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
        drawn = hashlib.blake2b(b"%d:%d" % (self.id, self.generation), digest_size=56).hexdigest()
        keys = Keys(drawn[:16], drawn[16:48], drawn[48:80], _rfc_uuid(drawn[80:]))
        if self.chosen:
            return keys._replace(
                **{name: value for name, value in self.chosen.items() if name != "uuid"}
            )
        return keys

    @property
    def uuid(self) -> str:
        """The key of v2; it never changes."""
        if self.chosen and "uuid" in self.chosen:
            return self.chosen["uuid"]
        return _rfc_uuid(hashlib.blake2b(b"%d" % self.id, digest_size=16).hexdigest())


def _rfc_uuid(digits: str) -> str:
    """32 hexadecimal digits as a version 4 uuid."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
