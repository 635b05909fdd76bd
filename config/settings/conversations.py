"""Conversations: when those who have not read are told of it, and when dialogs are put away."""

from datetime import timedelta

from config import env
from jobs import crons

NOTIFICATION_DELAY = env.span("NOTIFICATION_DELAY_SECS", "30")
if timedelta(days=1) < NOTIFICATION_DELAY:
    raise env.SettingInvalid("NOTIFICATION_DELAY_SECS", "must be at most one day.")
# Each new message begins the delay anew; a dialog that never rests is told of all the same by then.
NOTIFICATION_MAX_WAIT = env.span(
    "NOTIFICATION_MAX_WAIT_SECS", str(10 * NOTIFICATION_DELAY.total_seconds())
)
if NOTIFICATION_MAX_WAIT < NOTIFICATION_DELAY:
    raise env.SettingInvalid(
        "NOTIFICATION_MAX_WAIT_SECS", "must be at least NOTIFICATION_DELAY_SECS."
    )
NOTICE_RETENTION = timedelta(days=env.integer("NOTICE_RETENTION_DAYS", 30, least=1, most=3650))

ARCHIVE_ENABLED = env.boolean("ARCHIVE_ENABLED", default=True)
ARCHIVE_AFTER = timedelta(days=env.integer("ARCHIVE_AFTER_DAYS", 7, least=1, most=3650))
ARCHIVE_CRON = env.text("ARCHIVE_CRON", "0 */5 * * * *")
try:
    crons.check(ARCHIVE_CRON)
except crons.CronInvalid as exc:
    raise env.SettingInvalid("ARCHIVE_CRON", f"cannot be used: {exc}.") from None
