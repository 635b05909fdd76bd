"""Bots by their token. Every well-formed token belongs to a bot, unless it is marked revoked.

A secret that begins with "revoked" is refused from the start: handy where nobody can ask the
control endpoints first.
"""

import re
from typing import Any

from tests.sandbox.telegram.errors import ApiError

_TOKEN = re.compile(r"(\d{1,20}):([A-Za-z0-9_-]+)")
_MASKED = re.compile(r"/bot([^/:]*)[^/]*")
_ID_LIMIT = 1 << 54
REVOKED_PREFIX = "revoked"


class BotBook:
    """Knows which tokens are revoked. Secrets are compared, never shown."""

    def __init__(self) -> None:
        self._revoked: dict[int, set[str | None]] = {}

    def reset(self) -> None:
        self._revoked.clear()

    def revoke(self, bot_id: int, secret: str | None = None) -> None:
        """Refuse one secret of a bot, or all of them."""
        self._revoked.setdefault(bot_id, set()).add(secret)

    def restore(self, bot_id: int) -> None:
        """Accept every secret of a bot again."""
        self._revoked.pop(bot_id, None)

    def revoked(self) -> dict[int, set[str | None]]:
        """The refused secrets by bot; None stands for all of them."""
        return self._revoked

    def check(self, token: str) -> int:
        """The id of the bot. Raises ApiError 404 for a malformed token, 401 for a revoked one."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ApiError(404, "Not Found")
        bot_id, secret = int(match[1]), match[2]
        if match[1].startswith("0") or bot_id >= _ID_LIMIT:
            raise ApiError(401, "Unauthorized: invalid token specified")
        revoked = self._revoked.get(bot_id, ())
        if None in revoked or secret in revoked or secret.startswith(REVOKED_PREFIX):
            raise ApiError(401, "Unauthorized")
        return bot_id


def mask_token(path: str) -> str:
    """A path without the secret: /bot123:***/sendMessage."""
    return _MASKED.sub(r"/bot\1:***", path, count=1)


def bot_user(bot_id: int) -> dict[str, Any]:
    """The bot as the sender of a message."""
    return {
        "id": bot_id,
        "is_bot": True,
        "first_name": "Sandbox Bot",
        "username": f"sandbox_{bot_id}_bot",
    }


# What only getMe tells (Bot API 10.1).
_ABILITIES = {
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_guest_queries": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
    "has_topics_enabled": False,
    "allows_users_to_create_topics": False,
    "can_manage_bots": False,
    "supports_join_request_queries": False,
}


def bot_account(bot_id: int) -> dict[str, Any]:
    """The bot as getMe shows it."""
    return bot_user(bot_id) | _ABILITIES
