"""Subscriptions: the panel, how it may be asked, and what stops a sweep (docs/subscriptions.md)."""

import re
from zoneinfo import ZoneInfo

from config import env


def _headers(name: str) -> dict[str, str]:
    """HTTP headers, separated by commas. Their values are secrets and are not shown."""
    found: dict[str, str] = {}
    for part in env.words(name):
        match = re.fullmatch(r"([A-Za-z0-9-]+):\s*(\S[^\r\n]*)", part)
        if match is None:
            raise env.SettingInvalid(name, 'must be headers such as "X-Api-Key: secret".')
        found[match[1]] = match[2].strip()
    return found


REMNAWAVE_URL = env.url("REMNAWAVE_URL", "", ("http", "https"))
REMNAWAVE_API_TOKEN = env.text("REMNAWAVE_API_TOKEN")
# The panel's WEBHOOK_SECRET_HEADER; without it what comes to /webhooks/remnawave/ is kept and waits.
REMNAWAVE_WEBHOOK_SECRET = env.text("REMNAWAVE_WEBHOOK_SECRET")
PANEL_CONCURRENCY = env.integer("PANEL_CONCURRENCY", 8, least=1, most=200)  # requests at once
PANEL_RATE = env.rate("PANEL_RATE", "50/s")  # over all processes
PANEL_TIMEOUT = env.span("PANEL_TIMEOUT", "30s")  # the longest silence of the panel
PANEL_DIALECT = env.choice("PANEL_DIALECT", "auto", ("auto", "v2.7", "v2.8", "v3"))
# Outside development the panel drops whoever does not come through a proxy: we say that we do.
PANEL_PROXY_HEADERS = env.boolean("PANEL_PROXY_HEADERS", default=True)
PANEL_HEADERS = _headers("PANEL_HEADERS")  # what a proxy in front wants: "X-Api-Key: secret"
PANEL_COOKIE = env.text("PANEL_COOKIE")  # likewise: "name=value; other=value"
PANEL_FULL_SYNC = env.span("PANEL_FULL_SYNC", "1h")  # between two passes over all users
BULK_BATCH_SIZE = env.integer("BULK_BATCH_SIZE", 50, least=1, most=500)
BULK_WALKERS = env.integer("BULK_WALKERS", 6, least=1, most=64)  # packs of one operation at a time
# Of subscribers whose own zone nobody knows: in it stand the dates of their messages.
SUBSCRIBER_TIME_ZONE = env.text("SUBSCRIBER_TIME_ZONE", "UTC")
RENEW_URL = env.url(
    "RENEW_URL", "", ("https", "http", "tg")
)  # the button of reminders; empty: none
# So long after the end the panel has expired somebody by itself (its sweep comes every 30 s).
EXPIRY_GRACE = env.span("EXPIRY_GRACE", "2m")
# Packs of notices at once, over all workers: one asks the panel for a minute, and whoever has paid must
# find a thread meanwhile.
NOTICES_CONCURRENCY = env.integer("NOTICES_CONCURRENCY", 4, least=1, most=64)
LIFECYCLE_RETENTION_DAYS = env.integer("LIFECYCLE_RETENTION_DAYS", 180, least=31, most=3650)

if not 60 <= EXPIRY_GRACE.total_seconds() <= 86_400:
    raise env.SettingInvalid("EXPIRY_GRACE", "must be between 1m and 1d.")
try:
    ZoneInfo(SUBSCRIBER_TIME_ZONE)
except (LookupError, ValueError, OSError):
    raise env.SettingInvalid(
        "SUBSCRIBER_TIME_ZONE", "must be a zone such as Europe/Moscow."
    ) from None
if not 1 <= PANEL_TIMEOUT.total_seconds() <= 60:
    raise env.SettingInvalid("PANEL_TIMEOUT", "must be between 1s and 60s.")
if PANEL_FULL_SYNC.total_seconds() < 60:
    raise env.SettingInvalid("PANEL_FULL_SYNC", "must be at least 1m.")
if REMNAWAVE_URL and not REMNAWAVE_API_TOKEN:
    raise env.SettingInvalid("REMNAWAVE_API_TOKEN", "is missing, but REMNAWAVE_URL is set.")
if re.search(r"[\r\n]", REMNAWAVE_API_TOKEN + PANEL_COOKIE):
    raise env.SettingInvalid("REMNAWAVE_API_TOKEN", "and PANEL_COOKIE must be one line each.")
if REMNAWAVE_WEBHOOK_SECRET and not re.fullmatch(r"[A-Za-z0-9]{32,}", REMNAWAVE_WEBHOOK_SECRET):
    raise env.SettingInvalid(
        "REMNAWAVE_WEBHOOK_SECRET", "must be 32 letters and digits or more, as the panel has it."
    )
