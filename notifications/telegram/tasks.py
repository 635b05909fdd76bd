"""The jobs of the Telegram queue."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from jobs import breakers, rates
from jobs.context import current_job
from jobs.ladders import CLEANUP, SEND_NOW, Delays
from jobs.models import Job, Priority
from jobs.outcomes import Dead, Done, Outcome, Retry, Snooze
from jobs.registry import Rate, job
from lib import clock
from notifications.telegram import errors, governor, stats
from notifications.telegram.alerts import admins_tell, token_refused
from notifications.telegram.drain import Drain
from notifications.telegram.models import Dedup, QueuedMessage
from notifications.telegram.sending import client

AGAIN_AT_MOST = timedelta(seconds=30)
MAYBE_DOUBLED = "maybe_doubled"  # checkpoint of a job whose try had an unknown end
ALERT_RATE = Rate(1, "10m")  # per group: what goes on failing is told again, with a count


@job(
    "telegram.drain_queue",
    queue="notifications",
    priority=Priority.HIGH,
    every="30s",
    immediate=True,
    timeout="2m",
    retry=Delays("1s 5s 15s 30s"),
    on_notify=True,
    single=True,
)
def drain_queue() -> Outcome | dict[str, int]:
    """Send the due rows of notification_queue; woken by each insert, and each half minute anyway."""
    context = current_job()
    if context is None:
        raise RuntimeError("the lane runs as a job only: manage.py run_job telegram.drain_queue")
    if not settings.NOTIFICATION_ENABLED or not settings.TELEGRAM_BOT_TOKEN:
        return {"sent": 0, "failed": 0}
    run = Drain(context)
    again = run.run()
    if again is not None and again <= AGAIN_AT_MOST:
        drain_queue.enqueue(delay=again)
    return {"sent": run.sent, "failed": run.failed}


@job(
    "telegram.send_now",
    queue="notifications",
    priority=Priority.CRITICAL,
    retry=SEND_NOW,
    timeout="45s",
)
def send_now(
    telegram_id: int,
    message: str,
    notification_type: str = "message",
    parse_mode: str | None = "HTML",
) -> Outcome:
    """Send one message at once, past the queue; once its retries are used up it goes into the queue.

    Result: {"message_id", "sent_at", "maybe_doubled"} or {"queued": id of the row}.
    """
    # The pace first: the breaker may make us its probe, and then we must ask.
    if (pause := governor.take(1)) is not None:
        return Snooze(pause, "the pace of the bot")
    if (down := breakers.wait_for("telegram")) is not None:
        return _defer(
            Snooze(down, "Telegram is down"), telegram_id, message, notification_type, parse_mode
        )
    try:
        sent = client().send_message(chat_id=telegram_id, text=message, parse_mode=parse_mode)
    except errors.RateLimited as exc:
        governor.pause(exc.retry_after)
        return Snooze(exc.retry_after, str(exc))
    except errors.Refused as exc:
        is_unreachable = isinstance(exc, errors.ChatUnreachable)
        stats.count(notification_type, "unreachable" if is_unreachable else "failed")
        return Dead(str(exc))
    except errors.ChatMigrated as exc:
        send_now.enqueue(
            telegram_id=exc.new_chat_id, message=message, notification_type=notification_type,
            parse_mode=parse_mode,
        )  # fmt: skip
        return Done({"migrated_to": exc.new_chat_id})
    except errors.BotUnauthorized as exc:
        token_refused(str(exc))
        return Retry(str(exc))
    except errors.TelegramError as exc:
        breakers.record_failure("telegram", str(exc))
        if isinstance(exc, errors.OutcomeUnknown) and (context := current_job()) is not None:
            context.save_checkpoint(MAYBE_DOUBLED)
        return _defer(Retry(str(exc)), telegram_id, message, notification_type, parse_mode)
    breakers.record_success("telegram")
    stats.count(notification_type, "sent")
    return Done(
        {
            "message_id": sent.message_id,
            "sent_at": clock.now().isoformat(),
            "maybe_doubled": _maybe_doubled(),
        }
    )


def _maybe_doubled() -> bool:
    """Did an earlier try of this job end without an answer?"""
    context = current_job()
    return context is not None and context.checkpoint == MAYBE_DOUBLED


def _defer(
    otherwise: Outcome,
    telegram_id: int,
    message: str,
    notification_type: str,
    parse_mode: str | None,
) -> Outcome:
    """At the last attempt: into the queue, which tries for longer."""
    context = current_job()
    if context is None or context.attempt < context.max_attempts:
        return otherwise
    row = QueuedMessage.objects.create(
        telegram_id=telegram_id, message=message, notification_type=notification_type,
        parse_mode=parse_mode, priority=Priority.CRITICAL, maybe_doubled=_maybe_doubled(),
    )  # fmt: skip
    return Done({"queued": row.pk})


@job("telegram.tell_admins", queue="notifications", priority=Priority.CRITICAL, retry=SEND_NOW)
def tell_admins(
    group: str, title: str, text: str, severity: str, link: str
) -> Outcome | dict[str, Any]:
    """Tell the Telegram admins what needs a person: one message per group, with how often it was.

    Nobody enqueues it since alerts are rows (monitoring.alerts); jobs from before still arrive.
    """
    if (pause := rates.take(f"alert:{group}"[:160], ALERT_RATE)) is not None:
        return Snooze(pause, "told a short while ago")
    context = current_job()
    count = 1
    if context is not None:
        count += Job.objects.filter(pk=context.id).values_list("debounced", flat=True).first() or 0
    details = text if count == 1 else f"{text}\n({count} times; this is the latest)"
    return {
        "rows": admins_tell(
            severity=severity, title=title, details=details, source=group, link=link
        )
    }


@job("telegram.forget_keys", queue="maintenance", cron="40 * * * *", retry=CLEANUP)
def forget_keys() -> dict[str, int]:
    """Delete dedup keys whose time is over, and add up the counts of earlier minutes."""
    deleted, _ = Dedup.objects.filter(expires_at__lt=clock.now()).delete()
    return {"deleted": deleted, "counts": stats.fold()}
