"""A pressed button: done as a service, and answered. That it shows in the message is showing.py."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings

from jobs import breakers
from jobs.outcomes import Outcome, Snooze
from monitoring.alerts.acting import alert_acknowledge, alert_recheck, alerts_act
from monitoring.alerts.buttons import SILENCE_FOR, Verb, press_read
from monitoring.alerts.checking import recheck_kind
from monitoring.alerts.models import Alert, Telling
from monitoring.alerts.silences import alert_silence
from notifications.telegram import errors
from notifications.telegram.sending import client
from payments.intake.sources import Processed
from payments.models import Intake

logger = logging.getLogger(__name__)

_SERVICE_FAILURES = (errors.TelegramUnavailable, errors.OutcomeUnknown)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A callback query. chat_id and message_id: of the message with the button, if it still exists."""

    query_id: str
    person_id: int
    person: str
    chat_id: int | None
    message_id: int | None
    callback: str


_SAID = {
    "en": {
        "stranger": "This button is for the admins of this bot.",
        "unknown": "This button is too old.",
        "over": "It is over already.",
        Verb.ACK: "Acknowledged: {}",
        Verb.SILENCE: "Silent for an hour: {}",
        Verb.CHECK: "It is being checked again.",
    },
    "ru": {
        "stranger": "Эта кнопка для администраторов бота.",
        "unknown": "Эта кнопка слишком старая.",
        "over": "Уже всё в порядке.",
        Verb.ACK: "Принято: {}",
        Verb.SILENCE: "Тихо на час: {}",
        Verb.CHECK: "Проверка запущена.",
    },
}


def is_admin(telegram_id: int) -> bool:
    """Whether somebody may act by buttons: who is told of alerts."""
    return telegram_id in {*settings.ADMIN_TELEGRAM_IDS, *settings.ALERT_ESCALATION_IDS}


def press_do(pressed: Pressed, *, at: datetime) -> Processed | Outcome:
    """Do it, then answer. at: when it was pressed.

    Repeat: safe, also after the act was committed and the answer was not; a re-check runs again.
    Raises TelegramError if the answer could not be given.
    """
    said = _SAID[settings.TELEGRAM_LANGUAGE]
    found = press_read(pressed.callback)
    telling = Telling.objects.filter(pk=found.telling_id).first() if found else None
    if not is_admin(pressed.person_id):
        logger.warning("telegram %d, who is no admin, pressed a button", pressed.person_id)
        text, result = said["stranger"], Processed(Intake.UNMATCHED, note="Not an admin; refused.")
    elif found is None or telling is None:
        text, result = said["unknown"], Processed(Intake.UNMATCHED, note="No telling of ours.")
    else:
        done = _act(found.verb, telling, pressed, at)
        text = said[found.verb].format(done) if done else said["over"]
        result = Processed(object_ref=f"telling:{telling.pk}", note=f"{found.verb}: {done} alerts")
    return _answer(pressed, text) or result


def _act(verb: Verb, telling: Telling, pressed: Pressed, at: datetime) -> int:
    """Act on all alerts of the message that are open. Returns how many."""
    name = f"{pressed.person or 'telegram'} ({pressed.person_id})"
    acts: dict[Verb, Callable[[UUID], object]] = {
        Verb.ACK: lambda pk: alert_acknowledge(alert_id=pk, by=None, name=name),
        Verb.SILENCE: lambda pk: alert_silence(
            alert_id=pk, until=at + SILENCE_FOR, by=None, name=name
        ),
    }
    still_open = list(Alert.objects.filter(pk__in=telling.alert_ids, resolved_at=None))
    if verb == Verb.CHECK:
        return _check(still_open, name)
    return alerts_act([alert.pk for alert in still_open], acts[verb]).done


def _check(alerts: Sequence[Alert], name: str) -> int:
    """One run of each kind is enough for all alerts that it has raised."""
    first = {kind.name: alert for alert in alerts if (kind := recheck_kind(alert)) is not None}
    ids = [alert.pk for alert in first.values()]
    return alerts_act(ids, partial(_recheck, name)).done


def _recheck(name: str, alert_id: UUID) -> object:
    return alert_recheck(alert_id=alert_id, by=None, name=name)


def _answer(pressed: Pressed, text: str) -> Outcome | None:
    """Show the text to who has pressed. None: done, or it will never be possible."""
    try:
        client().answer_callback_query(callback_query_id=pressed.query_id, text=text)
    except errors.RateLimited as exc:
        return Snooze(exc.retry_after, "Telegram asks to wait")
    except errors.RequestRefused as exc:
        logger.info("the press %s cannot be answered: %s", pressed.query_id, exc)
    except _SERVICE_FAILURES as exc:
        breakers.record_failure("telegram", str(exc))
        raise
    return None
