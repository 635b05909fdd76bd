"""Telling Telegram where presses of buttons are to be sent."""

from django.conf import settings

from jobs import breakers
from jobs.outcomes import Dead, Outcome, Retry, Snooze
from notifications.telegram import errors
from notifications.telegram.sending import client

PATH = "webhooks/telegram/"


def webhook_set() -> Outcome | dict[str, str]:
    """Call setWebhook, if SITE_URL is https and TELEGRAM_WEBHOOK_SECRET is set. Repeat: safe."""
    if not settings.TELEGRAM_BOT_TOKEN or not settings.TELEGRAM_WEBHOOK_SECRET:
        return {"left": "TELEGRAM_BOT_TOKEN or TELEGRAM_WEBHOOK_SECRET is not set"}
    if not settings.SITE_URL.startswith("https://"):
        return {"left": "SITE_URL is not https, and Telegram takes no other"}
    if (down := breakers.wait_for("telegram")) is not None:
        return Snooze(down, "Telegram is down")
    url = f"{settings.SITE_URL}/{PATH}"
    try:
        client().set_webhook(
            url=url,
            secret_token=settings.TELEGRAM_WEBHOOK_SECRET,
            allowed_updates=("callback_query",),
        )
    except errors.RateLimited as exc:
        return Snooze(exc.retry_after, str(exc))
    except errors.RequestRefused as exc:
        return Dead(str(exc))
    except errors.TelegramError as exc:
        return Retry(str(exc))
    return {"set": url}
