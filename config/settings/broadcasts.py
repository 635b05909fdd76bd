"""Broadcasts: what a site may set."""

from datetime import timedelta

from config import env

BROADCASTS_INBOX_TTL = env.span("BROADCASTS_INBOX_TTL", "1d")  # unread for longer is cleared
if not timedelta(seconds=1) <= BROADCASTS_INBOX_TTL <= timedelta(days=15):
    raise env.SettingInvalid("BROADCASTS_INBOX_TTL", "must be between 1s and 15d.")
# Jobs that deliver one broadcast to inboxes side by side; more than cores of the database help nobody.
BROADCASTS_INBOX_LANES = env.integer("BROADCASTS_INBOX_LANES", 2, least=1, most=16)
BROADCASTS_LEDGER_DAYS = env.integer(
    "BROADCASTS_LEDGER_DAYS", 90, least=3
)  # 2 are those of a recall
BROADCASTS_CSV_MAX_BYTES = env.integer("BROADCASTS_CSV_MAX_BYTES", 200 * 1024 * 1024, least=1024)
