"""The pages of this console are those of the jobs console, with templates of their own."""

from uuid import UUID

from django.conf import settings
from django.http import Http404

from jobs.admin.pages import ConsoleAdmin
from notifications.broadcasts.errors import BroadcastUnknown
from notifications.broadcasts.models import Broadcast, Channel
from notifications.broadcasts.resending import RESENDABLE
from notifications.broadcasts.selectors import broadcast_get

SEND = "broadcasts.send_broadcast"
OPERATE = "broadcasts.operate_broadcast"
ADD = "broadcasts.add_broadcast"
CHANGE = "broadcasts.change_broadcast"
VIEW = "broadcasts.view_broadcast"


class BroadcastConsole(ConsoleAdmin):
    folder = "broadcasts"


def broadcast_or_404(broadcast_id: UUID) -> Broadcast:
    """The broadcast of an address."""
    try:
        return broadcast_get(broadcast_id)
    except BroadcastUnknown as exc:
        raise Http404(exc.message) from None


def resendable(row: Broadcast) -> bool:
    """Whether it can be sent again to some: not while it is sending, and as long as it is known to whom."""
    return row.status in RESENDABLE and row.ledger_forgotten_at is None


def telegram_off(row: Broadcast) -> str:
    """Why its Telegram messages may wait, as far as this web process knows; empty if they would not."""
    if Channel.TELEGRAM not in row.channels:
        return ""
    if not settings.TELEGRAM_BOT_TOKEN:
        return "No bot is set up here: unless the workers have TELEGRAM_BOT_TOKEN, its messages there wait."
    if not settings.NOTIFICATION_ENABLED:
        return "Telegram is switched off here (NOTIFICATION_ENABLED); if for the workers, too, messages wait."
    return ""


def sentence(message: str) -> str:
    """The message of an error as people read it: with a capital and a full stop."""
    return f"{message[:1].upper()}{message[1:]}.".replace("..", ".").replace("?.", "?")
