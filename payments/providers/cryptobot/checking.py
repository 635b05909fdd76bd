"""Does the token fit the network, and is the app in order? Asked by a job, for a start must not wait."""

from urllib.parse import urlsplit

from django.conf import settings

from jobs.alerts import attention
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.errors import AppSuspended, TokenRefused
from payments.providers.cryptobot.types import AppProfile

# Source: Crypto Pay API 1.5.2. Another host (a sandbox, a proxy) may lead to either network.
BOTS = {"pay.crypt.bot": "CryptoBot", "testnet-pay.crypt.bot": "CryptoTestnetBot"}


def provider_check() -> dict[str, str | int]:
    """Ask whose token it is, and tell a person what is wrong with it: {"status": ...}.

    Raises CryptoPayAway and BreakerOpen: then nothing was learned, and nobody is told.
    """
    if not gate.is_configured():
        return {"status": "not_configured"}
    host = urlsplit(settings.CRYPTOBOT_API_URL).hostname or ""
    try:
        profile = gate.me()
    except TokenRefused:
        _tell(
            "token",
            "Crypto Pay refuses our token",
            f"{host} answers 401: the token was revoked, or belongs to the other network. "
            "Nobody can pay. Put the right one into CRYPTOBOT_TOKEN.",
        )
        return {"status": "token_refused"}
    except AppSuspended:
        _tell(
            "suspended",
            "Crypto Pay has suspended our app",
            "It answers 423. Nobody can pay. Write to the support of Crypto Pay.",
        )
        return {"status": "suspended"}
    return {"status": _judge(profile, host), "app_id": profile.app_id, "bot": profile.bot}


def _judge(profile: AppProfile, host: str) -> str:
    expected = BOTS.get(host)
    if expected is not None and profile.bot != expected:
        _tell(
            "network",
            "The token of Crypto Pay is of the other network",
            f"{host} should lead to @{expected}, but the token is of @{profile.bot}. "
            "CRYPTOBOT_API_URL and CRYPTOBOT_TOKEN do not belong together.",
        )
        return "wrong_network"
    if profile.is_testnet and not settings.DEBUG:
        _tell(
            "testnet",
            "Payments are made with play money",
            f"The token is of @{profile.bot}: subscriptions are given for coins without worth. "
            "Set CRYPTOBOT_TOKEN and CRYPTOBOT_API_URL to the real network.",
        )
        return "testnet"
    return "ok"


def _tell(matter: str, title: str, text: str) -> None:
    attention(
        group=f"cryptobot.{matter}",
        title=title,
        text=text,
        severity="critical",
        link="/admin/payments/payment/",
    )
