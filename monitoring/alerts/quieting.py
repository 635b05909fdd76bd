"""The end of what has no end of its own, and of what is about Telegram and only Telegram can tell."""

from django.conf import settings
from django.db import transaction

from jobs.compiled import rows_of
from lib import clock
from monitoring.alerts import rules
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_clear, alert_end
from notifications.telegram.errors import TelegramError
from notifications.telegram.models import QueuedMessage
from notifications.telegram.sending import client

_IS_REFUSED = "SELECT 1 FROM alert WHERE rule = %s AND key = %s AND resolved_at IS NULL"


@transaction.atomic
def alerts_fade() -> int:
    """Resolve what only announced itself and was not heard of for ALERT_QUIET. Nobody is told.

    Returns how many. Locks: those alerts, by skipping what somebody else holds.
    """
    quiet = Alert.objects.filter(
        rule=rules.ATTENTION,
        resolved_at=None,
        tell_at=None,
        noticed_at__lte=clock.now() - settings.ALERT_QUIET,
    ).exclude(key=rules.TOKEN)
    found = list(quiet.select_for_update(no_key=True, skip_locked=True).order_by("pk"))
    for alert in found:
        alert_end(alert, note="It was not heard of any more.", tell=False)
    return len(found)


def token_ask() -> bool:
    """If an open alert says that the token of the bot is refused: ask Telegram, and clear it if not.

    Returns whether it was cleared. One call of the network, outside of a transaction, and only while
    there is such an alert and no message that waits for it.
    """
    waiting = QueuedMessage.objects.filter(status="pending", reason="unauthorized")
    if not rows_of(_IS_REFUSED, [rules.ATTENTION, rules.TOKEN]) or waiting.exists():
        return False
    try:
        client().get_me()
    except TelegramError:
        return False  # the alert stays, and the next run asks again
    return (
        alert_clear(rule=rules.ATTENTION, key=rules.TOKEN, note="Telegram takes the token.")
        is not None
    )
