"""The outside services, and what stands in for those that nobody has given an address for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config import env

CLOCK = "clock"


@dataclass(frozen=True)
class Outside:
    """variable: holds its address. path: where the sandbox has it. defaults: what its sandbox needs."""

    name: str
    variable: str
    path: str
    defaults: Mapping[str, str] = field(default_factory=dict)


OUTSIDE = (
    Outside(
        "telegram",
        "TELEGRAM_API_URL",
        "",
        {
            "TELEGRAM_BOT_TOKEN": "7000000001:sandbox",
            "ADMIN_TELEGRAM_IDS": "500100100",
            "TELEGRAM_WEBHOOK_SECRET": "sandbox-telegram-secret",
        },
    ),
    Outside(
        "remnawave",
        "REMNAWAVE_URL",
        "/remnawave",
        {
            "REMNAWAVE_API_TOKEN": "sandbox-panel-token",
            "REMNAWAVE_WEBHOOK_SECRET": "sandboxsandboxsandboxsandboxsandbox",
        },
    ),
    Outside("cryptopay", "CRYPTOBOT_API_URL", "/cryptopay", {"CRYPTOBOT_TOKEN": "10001:sandbox"}),
)


def without_address() -> tuple[Outside, ...]:
    """Those that the sandbox plays."""
    return tuple(each for each in OUTSIDE if not env.text(each.variable))


def environment_of(played: Iterable[Outside], sandbox_url: str) -> dict[str, str]:
    """Their addresses, and tokens unless somebody has chosen one (also by NAME_FILE)."""
    found: dict[str, str] = {}
    for each in played:
        found[each.variable] = f"{sandbox_url}{each.path}"
        found |= {name: env.text(name, value) for name, value in each.defaults.items()}
    return found


def environment_of_sandbox(site_url: str, secret: str, data_dir: Path) -> dict[str, str]:
    """Where the sandbox sends its webhooks, and the file in which its world outlives a restart.

    Its clock begins where that of the site stands: both are given the same CLOCK_FILE.
    """
    return {
        "REMNAWAVE_WEBHOOK_URL": f"{site_url}/webhooks/remnawave/",
        "REMNAWAVE_WEBHOOK_SECRET": secret,
        "CRYPTOPAY_WEBHOOK_URL": f"{site_url}/webhooks/cryptobot/",
        "TELEGRAM_WEBHOOK_URL": f"{site_url}/webhooks/telegram/",
        "SANDBOX_FILE": str(data_dir / "sandbox.json"),
    }
