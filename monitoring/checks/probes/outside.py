"""Looking at the services of others, over doors of its own.

Neither the breaker nor the pace nor the places of the business calls are touched: a look must see for
itself while a breaker is open, and opens none for others. `Raises` of all: LookFailed, LookRefused.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings

from monitoring.checks.verdicts import LookFailed, LookRefused
from notifications.telegram.client import TelegramClient
from notifications.telegram.errors import (
    BotUnauthorized,
    RateLimited,
    RequestRefused,
    TelegramError,
)
from payments.providers.cryptobot.client import CryptoPayClient
from payments.providers.cryptobot.errors import (
    AppSuspended,
    CryptoPayBusy,
    CryptoPayError,
    TokenRefused,
)
from subscriptions.panel.client import PanelClient
from subscriptions.panel.contract import MemoryContract
from subscriptions.panel.errors import PanelBusy, PanelDenied, PanelError

_CONNECT_S = 5.0


def _whole_s() -> float:
    return settings.SERVICE_CHECK_TIMEOUT.total_seconds()


def _connect_s() -> float:
    return min(_CONNECT_S, _whole_s())


def panel_look() -> dict[str, Any]:
    """{"version"}. The panel has no route of health; its version is the cheapest that asks its database."""
    client = PanelClient(
        settings.REMNAWAVE_URL,
        settings.REMNAWAVE_API_TOKEN,
        contract=MemoryContract(),  # what it learns here is for nobody else
        connect_timeout_s=_connect_s(),
        read_timeout_s=_whole_s(),
        total_timeout_s=_whole_s(),
        pool_size=1,
        has_proxy_headers=settings.PANEL_PROXY_HEADERS,
        headers=settings.PANEL_HEADERS,
        cookie=settings.PANEL_COOKIE,
    )
    try:
        return {"version": client.metadata().text}
    except PanelDenied as exc:
        raise LookRefused(str(exc)) from None
    except PanelBusy:  # 429: it answers
        return {}
    except PanelError as exc:
        raise LookFailed(str(exc)) from None
    finally:
        client.close()


def telegram_look() -> dict[str, Any]:
    """{"bot"}: getMe."""
    client = TelegramClient(
        settings.TELEGRAM_API_URL,
        settings.TELEGRAM_BOT_TOKEN,
        connect_timeout_s=_connect_s(),
        read_timeout_s=_whole_s(),
        pool_size=1,
    )
    try:
        return {"bot": f"@{client.get_me().username}"}
    except (BotUnauthorized, RequestRefused) as exc:
        raise LookRefused(str(exc)) from None
    except RateLimited:  # it answers
        return {}
    except TelegramError as exc:
        raise LookFailed(str(exc)) from None
    finally:
        client.close()


def cryptobot_look() -> dict[str, Any]:
    """{"app", "bot"}: getMe."""
    try:
        client = CryptoPayClient(
            settings.CRYPTOBOT_API_URL,
            settings.CRYPTOBOT_TOKEN,
            longest_life=timedelta(hours=24),
            connect_timeout_s=_connect_s(),
            read_timeout_s=_whole_s(),
            pool_size=1,
        )
    except ValueError as exc:
        raise LookRefused(str(exc)) from None
    try:
        profile = client.me()
    except (TokenRefused, AppSuspended) as exc:
        raise LookRefused(str(exc)) from None
    except CryptoPayBusy:
        return {}
    except CryptoPayError as exc:
        raise LookFailed(str(exc)) from None
    finally:
        client.close()
    return {"app": profile.app_id, "bot": f"@{profile.bot}"}
