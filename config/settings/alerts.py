"""Alerts: when people are told, and again, and who then (docs/alerts.md)."""

import re
from datetime import timedelta

from config import env

# What opens or resolves within this time is one message. Danger of a long one: people learn late.
ALERT_GROUP = env.span("ALERT_GROUP", "30s")
ALERT_FEW = env.integer("ALERT_FEW", 3, least=1, most=10)  # so many are a message each
ALERT_ESCALATE = env.span("ALERT_ESCALATE", "15m")  # a critical alert that nobody acknowledges
ALERT_ESCALATION_IDS = env.integers("ALERT_ESCALATION_IDS")  # chats; empty: the admins once more
ALERT_REMIND = env.span("ALERT_REMIND", "4h")  # of open critical alerts, again and again
ALERT_REPEAT = env.span("ALERT_REPEAT", "10m")  # between two messages about what came again
# What announces itself and has no end of its own is over when it was not heard of for so long.
ALERT_QUIET = env.span("ALERT_QUIET", "24h")
ALERT_RETENTION_DAYS = env.integer("ALERT_RETENTION_DAYS", 365, least=1, most=3650)

# Telegram says it with each press of a button; without it alerts have no buttons that act.
TELEGRAM_WEBHOOK_SECRET = env.text("TELEGRAM_WEBHOOK_SECRET")

if not timedelta(0) <= ALERT_GROUP <= timedelta(minutes=10):
    raise env.SettingInvalid("ALERT_GROUP", "must be between 0s and 10m.")
for _name, _span in (("ALERT_ESCALATE", ALERT_ESCALATE), ("ALERT_REMIND", ALERT_REMIND)):
    if not timedelta(minutes=1) <= _span <= timedelta(days=30):
        raise env.SettingInvalid(_name, "must be between 1m and 30d.")
if timedelta(minutes=1) > ALERT_REPEAT:
    raise env.SettingInvalid("ALERT_REPEAT", "must be at least 1m.")
if timedelta(minutes=10) > ALERT_QUIET:
    raise env.SettingInvalid("ALERT_QUIET", "must be at least 10m.")
if TELEGRAM_WEBHOOK_SECRET and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", TELEGRAM_WEBHOOK_SECRET):
    raise env.SettingInvalid(
        "TELEGRAM_WEBHOOK_SECRET", "must be 16 to 256 of the characters A-Z, a-z, 0-9, _ and -."
    )
