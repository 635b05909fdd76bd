"""Apps by their token. Every token of the form <digits>:<secret> belongs to an app.

A secret that begins with "testnet" is of the test network, one that begins with "revoked" is refused
from the start; the network of the sandbox is set by a control call.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.sandbox.cryptopay.errors import ApiError

_TOKEN = re.compile(r"([1-9][0-9]{0,15}):([A-Za-z0-9_-]+)")
TESTNET_PREFIX = "testnet"
REVOKED_PREFIX = "revoked"
NETWORKS = {"mainnet": "CryptoBot", "testnet": "CryptoTestnetBot"}


@dataclass(slots=True)
class App:
    """One app. token is the one used last: it signs webhooks. site: where its caller found us."""

    app_id: int
    token: str
    site: str = ""
    is_revoked: bool = False
    is_suspended: bool = False
    can_transfer: bool = False

    def profile(self, network: str) -> dict[str, Any]:
        return {
            "app_id": self.app_id,
            "name": f"Sandbox {self.app_id}",
            "payment_processing_bot_username": NETWORKS[network],
        }


class AppBook:
    """Knows every app that called, and which of them are barred."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.network = "mainnet"
        self._apps: dict[int, App] = {}

    def app(self, app_id: int) -> App:
        return self._apps.setdefault(app_id, App(app_id, f"{app_id}:secret"))

    def known(self) -> list[App]:
        return list(self._apps.values())

    def add(self, app: App) -> None:
        self._apps[app.app_id] = app

    def check(self, token: str, site: str) -> App:
        """The app of a call. Raises ApiError 401 or 423."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ApiError(401, "UNAUTHORIZED")
        is_testnet = match[2].lower().startswith(TESTNET_PREFIX)
        app = self.app(int(match[1]))
        if (
            app.is_revoked
            or match[2].startswith(REVOKED_PREFIX)
            or is_testnet != (self.network == "testnet")
        ):
            raise ApiError(401, "UNAUTHORIZED")
        if app.is_suspended:
            raise ApiError(423, "APP_SUSPENDED")
        app.token, app.site = token, site
        return app
