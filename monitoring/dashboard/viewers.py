"""Who may look at the live dashboard: staff and service accounts that may see servers."""

from typing import Any

from django.conf import settings

from jobs.progress.viewers import account_of
from notifications.inbox.live.apart import apart

PERMISSION = "nodes.view_node"


def may_view(user: Any) -> bool:
    """Whether this account sees the dashboard. At most two queries."""
    return bool(user.is_active and user.has_perm(PERMISSION))


async def socket_may_view(scope: dict[str, Any]) -> tuple[bool, bool]:
    """(is it known who it is, may it look) of a WebSocket: by its session or its token, read anew.

    With OPEN_IDENTITY everybody may, as everywhere.
    """
    if settings.OPEN_IDENTITY:
        return True, True

    def ask() -> tuple[bool, bool]:
        user = account_of(scope)
        return bool(user.is_authenticated), may_view(user)

    return await apart(ask)
