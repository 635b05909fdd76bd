"""Internal squads: groups of users that decide which inbounds they may use."""

from dataclasses import dataclass
from typing import Any

PROFILE = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d"
DEFAULT_SQUAD = "5b1f0d8e-7c0a-4f4e-9a41-2f6d5f0c7a11"
TRIAL_SQUAD = "c2a9d3f4-18b6-4a6f-8a0e-0f5a1f9b6c22"


@dataclass(frozen=True, slots=True)
class Squad:
    """A squad and the inbounds of the one profile that it opens."""

    uuid: str
    name: str
    position: int
    inbounds: tuple[str, ...]
    created_at: str


SQUADS = (
    Squad(
        DEFAULT_SQUAD,
        "Default-Squad",
        1,
        ("VLESS_REALITY_TCP", "VLESS_XHTTP"),
        "2026-01-05T09:11:00.000Z",
    ),
    Squad(TRIAL_SQUAD, "Trial-Squad", 2, ("VLESS_REALITY_TCP",), "2026-02-05T09:11:00.000Z"),
)
NAMES = {squad.uuid: squad.name for squad in SQUADS}

_INBOUNDS = {
    "VLESS_REALITY_TCP": ("b2c3d4e5-f6a7-4b8c-9d0e-1f2a3b4c5d6e", "tcp", "reality", 443),
    "VLESS_XHTTP": ("c3d4e5f6-a7b8-4c9d-8e1f-2a3b4c5d6e7f", "xhttp", "tls", 8443),
}


def inbound_json(tag: str) -> dict[str, Any]:
    uuid, network, security, port = _INBOUNDS[tag]
    return {
        "uuid": uuid,
        "profileUuid": PROFILE,
        "tag": tag,
        "type": "vless",
        "network": network,
        "security": security,
        "port": port,
        "rawInbound": None,
    }


def all_inbounds() -> list[dict[str, Any]]:
    return [inbound_json(tag) for tag in _INBOUNDS]


def squad_json(squad: Squad, members: int) -> dict[str, Any]:
    return {
        "uuid": squad.uuid,
        "viewPosition": squad.position,
        "name": squad.name,
        "tags": [],
        "info": {"membersCount": members, "inboundsCount": len(squad.inbounds)},
        "inbounds": [inbound_json(tag) for tag in squad.inbounds],
        "createdAt": squad.created_at,
        "updatedAt": "2026-09-01T12:00:00.000Z",
    }
