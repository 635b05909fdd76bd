"""The services that are looked at, by the names that rows and alerts know them by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from monitoring.checks.probes.outside import cryptobot_look, panel_look, telegram_look
from monitoring.checks.probes.stores import postgres_look, redis_look
from monitoring.checks.probes.uplink import uplink_look

UPLINK = "uplink"
UPLINK_RULE = "uplink_down"


@dataclass(frozen=True, slots=True)
class Service:
    """rule: of its alert, whose key is the name. is_outside: without our uplink it cannot be reached.

    matter: the group in which the rooms themselves tell of a refused token. missing: what to set.
    """

    name: str
    title: str
    look: Callable[[], dict[str, Any]]
    is_configured: Callable[[], bool]
    missing: str
    meanwhile: str
    rule: str = "service_down"
    is_outside: bool = True
    matter: str = ""

    @property
    def parent(self) -> tuple[str, str] | None:
        """The alert that explains that of this one."""
        return (UPLINK_RULE, UPLINK) if self.is_outside else None


def _always() -> bool:
    return True


# The uplink first: its alert is open before those that it explains.
SERVICES: tuple[Service, ...] = (
    Service(
        UPLINK,
        "Our uplink",
        uplink_look,
        lambda: bool(settings.UPLINK_PROBES),
        "UPLINK_PROBES",
        "Nothing outside can be reached; alerts of what is outside are hidden behind this one.",
        rule=UPLINK_RULE,
        is_outside=False,
    ),
    Service(
        "postgres",
        "PostgreSQL",
        postgres_look,
        _always,
        "",
        "New connections fail; whoever has one goes on.",
        is_outside=False,
    ),
    Service(
        "redis",
        "Redis",
        redis_look,
        _always,
        "",
        "Caches miss and screens are told later; jobs and messages go on.",
        is_outside=False,
    ),
    Service(
        "remnawave",
        "The panel",
        panel_look,
        lambda: bool(settings.REMNAWAVE_URL),
        "REMNAWAVE_URL and REMNAWAVE_API_TOKEN",
        "Nobody is activated, synced or disabled; what was paid waits and is served later.",
        rule="panel_unreachable",
        matter="panel:token",
    ),
    Service(
        "telegram",
        "Telegram",
        telegram_look,
        lambda: bool(settings.TELEGRAM_BOT_TOKEN),
        "TELEGRAM_BOT_TOKEN",
        "Messages wait in the queue, unspent.",
        matter="telegram.token",
    ),
    Service(
        "cryptobot",
        "Crypto Pay",
        cryptobot_look,
        lambda: bool(settings.CRYPTOBOT_TOKEN),
        "CRYPTOBOT_TOKEN",
        "No invoices are made; what is paid is noticed later.",
        matter="cryptobot.token",
    ),
)
BY_NAME = {service.name: service for service in SERVICES}
RULES = tuple(dict.fromkeys(service.rule for service in SERVICES))
