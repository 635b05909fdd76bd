"""What Telegram sends us: presses of buttons. Proved by the secret that setWebhook has given it.

Source: Bot API 10.1 (2026-06-11), Update and CallbackQuery; header X-Telegram-Bot-Api-Secret-Token.
"""

import hmac
from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings

from jobs.outcomes import Outcome
from monitoring.alerts.pressing import Pressed, press_do
from monitoring.alerts.tasks import process_telegram
from monitoring.alerts.webhook import PATH
from payments.intake.sources import BodyUnreadable, Described, Processed, Source, source_register
from payments.models import IncomingWebhook, Intake

NAME = "telegram"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
PRESSED = "callback_query"


def register() -> None:
    """Make Telegram a source of webhooks."""
    source_register(
        Source(
            name=NAME,
            title="Telegram",
            path=f"/{PATH}",
            verify=verify,
            describe=describe,
            process=process,
            kind=process_telegram,
            headers=("content-type", "user-agent"),
            secret_setting="TELEGRAM_WEBHOOK_SECRET",  # noqa: S106 - the name of a setting
        )
    )


def verify(body: bytes, headers: Mapping[str, str]) -> bool | None:
    """Whether Telegram has sent it; None without a secret."""
    secret = settings.TELEGRAM_WEBHOOK_SECRET
    if not secret:
        return None
    given = headers.get(SECRET_HEADER, "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def describe(body: bytes) -> Described:
    """update_id is unique for the bot: it tells an update that is sent again."""
    update = _update(body)
    number = update.get("update_id")
    if not isinstance(number, int):
        raise BodyUnreadable("an update has no update_id")
    event = next((name for name in update if name != "update_id"), "empty")
    return Described("update", event[:60], key=f"update:{number}")


def process(row: IncomingWebhook) -> Processed | Outcome:
    """Do what the button says."""
    update = _update(bytes(row.body))
    found = update.get(PRESSED)
    if found is None:
        return Processed(Intake.UNMATCHED, note="No press of a button; we ask for nothing else.")
    try:
        pressed = _pressed(found)
    except (KeyError, TypeError, ValueError) as exc:
        return Processed(Intake.UNMATCHED, note=f"A press that we cannot read: {exc!r}")
    return press_do(pressed, at=row.received_at)


def _pressed(query: Any) -> Pressed:
    person = query["from"]
    message = query.get("message") or {}
    name = person.get("username") or person.get("first_name") or ""
    return Pressed(
        query_id=str(query["id"]),
        person_id=int(person["id"]),
        person=str(name)[:64],
        chat_id=int(message["chat"]["id"]) if message else None,
        message_id=int(message["message_id"]) if message else None,
        callback=str(query.get("data", "")),
    )


def _update(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise BodyUnreadable(f"no JSON: {exc}") from None
    if not isinstance(found, dict):
        raise BodyUnreadable("no object")
    return found
