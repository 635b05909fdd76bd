"""The buttons under a message about alerts, and what a press of one says.

A press carries the verb and the number of the telling; the alerts stand in its row. Without
TELEGRAM_WEBHOOK_SECRET no press could reach us, so there are links to the console only; those need
an https address, or Telegram would refuse the whole message.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings

from monitoring.alerts.checking import recheck_kind
from monitoring.alerts.fitting import is_silenced
from monitoring.alerts.links import address_of, list_address
from monitoring.alerts.models import Alert, Telling
from notifications.telegram.keyboards import keyboard, link, press

SILENCE_FOR = timedelta(hours=1)
_PRESSED = re.compile(r"alert:(ack|silence|check):([0-9]{1,18})")


class Verb(StrEnum):
    """What a button does."""

    ACK = "ack"
    SILENCE = "silence"
    CHECK = "check"


_LABELS = {
    "en": {
        Verb.ACK: "✅ Ack",
        Verb.SILENCE: "🔕 Silence 1 h",
        Verb.CHECK: "🔄 Re-check",
        None: "Open in the console",
    },
    "ru": {
        Verb.ACK: "✅ Принять",
        Verb.SILENCE: "🔕 Тихо 1 ч",
        Verb.CHECK: "🔄 Проверить",
        None: "Открыть в консоли",
    },
}


@dataclass(frozen=True)
class Press:
    """A button that was pressed."""

    verb: Verb
    telling_id: int


def press_read(callback: str) -> Press | None:
    """What a callback says; None if it is none of ours."""
    found = _PRESSED.fullmatch(callback)
    return Press(Verb(found[1]), int(found[2])) if found else None


def buttons_of(telling: Telling, alerts: Sequence[Alert]) -> dict[str, Any] | None:
    """reply_markup of a telling, as its alerts are now; None: no buttons."""
    labels = _LABELS[settings.TELEGRAM_LANGUAGE]
    still_open = [alert for alert in alerts if alert.is_open]
    acts = []
    if settings.TELEGRAM_WEBHOOK_SECRET:
        acts = [press(labels[verb], f"alert:{verb}:{telling.pk}") for verb in _verbs(still_open)]
    links = []
    if settings.SITE_URL.startswith("https://"):
        address = address_of(alerts[0]) if len(alerts) == 1 else list_address()
        links = [link(labels[None], address)]
    return keyboard(acts, links) if acts or links else None


def _verbs(still_open: Sequence[Alert]) -> list[Verb]:
    """What can still be done with them."""
    verbs = []
    if any(alert.acked_at is None for alert in still_open):
        verbs.append(Verb.ACK)
    if any(not is_silenced(alert) for alert in still_open):
        verbs.append(Verb.SILENCE)
    if any(recheck_kind(alert) is not None for alert in still_open):
        verbs.append(Verb.CHECK)
    return verbs
