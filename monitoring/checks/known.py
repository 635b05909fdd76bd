"""The services that are looked at, by the names that rows and alerts know them by."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from monitoring.alerts.wording.saying import ENGLISH
from monitoring.alerts.wording.services import MEANWHILE, TITLES
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
    look: Callable[[], dict[str, Any]]
    is_configured: Callable[[], bool]
    missing: str
    rule: str = "service_down"
    is_outside: bool = True
    matter: str = ""

    @property
    def title(self) -> str:
        """What the console calls it."""
        return TITLES[ENGLISH][self.name]

    @property
    def meanwhile(self) -> str:
        """What it means for people that it is away."""
        return MEANWHILE[ENGLISH][self.name]

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
        uplink_look,
        lambda: bool(settings.UPLINK_PROBES),
        "UPLINK_PROBES",
        rule=UPLINK_RULE,
        is_outside=False,
    ),
    Service(
        "postgres",
        postgres_look,
        _always,
        "",
        is_outside=False,
    ),
    Service(
        "redis",
        redis_look,
        _always,
        "",
        is_outside=False,
    ),
    Service(
        "remnawave",
        panel_look,
        lambda: bool(settings.REMNAWAVE_URL),
        "REMNAWAVE_URL and REMNAWAVE_API_TOKEN",
        rule="panel_unreachable",
        matter="panel:token",
    ),
    Service(
        "telegram",
        telegram_look,
        lambda: bool(settings.TELEGRAM_BOT_TOKEN),
        "TELEGRAM_BOT_TOKEN",
        matter="telegram.token",
    ),
    Service(
        "cryptobot",
        cryptobot_look,
        lambda: bool(settings.CRYPTOBOT_TOKEN),
        "CRYPTOBOT_TOKEN",
        matter="cryptobot.token",
    ),
)
BY_NAME = {service.name: service for service in SERVICES}
RULES = tuple(dict.fromkeys(service.rule for service in SERVICES))
