"""Subscriptions: the panel, how it may be asked, and what stops a sweep (docs/subscriptions.md)."""

from config import env

REMNAWAVE_URL = env.url("REMNAWAVE_URL", "", ("http", "https"))
REMNAWAVE_API_TOKEN = env.text("REMNAWAVE_API_TOKEN")
BULK_BATCH_SIZE = env.integer("BULK_BATCH_SIZE", 50, least=1, most=500)
