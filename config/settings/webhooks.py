"""Webhooks: what a site may set."""

from datetime import timedelta

from config import env
from config.settings.base import DEBUG
from lib import durations

# The ladder that the Standard Webhooks specification proposes: ten tries in a bit more than 3 days.
_LADDER = "5s 5m 30m 2h 5h 10h 14h 20h 24h"


def _ladder(raw: str) -> tuple[timedelta, ...]:
    name = "WEBHOOK_RETRY_DELAYS"
    try:
        steps = durations.parse_many(raw)
    except durations.DurationInvalid:
        raise env.SettingInvalid(
            name, f'is {raw!r}; it must be spans separated by blanks, such as "5s 5m 1h".'
        ) from None
    if len(steps) > 50 or any(step > timedelta(days=30) for step in steps):
        raise env.SettingInvalid(name, "may hold at most 50 spans of at most 30 days.")
    return steps


WEBHOOK_RETRY_DELAYS = _ladder(env.text("WEBHOOK_RETRY_DELAYS", _LADDER))
WEBHOOK_PATIENCE = env.span("WEBHOOK_PATIENCE", "5d")  # of failure; then an endpoint is disabled
if timedelta(minutes=1) > WEBHOOK_PATIENCE:
    raise env.SettingInvalid("WEBHOOK_PATIENCE", "must be at least 1m.")
WEBHOOK_SECRET_OVERLAP = env.span("WEBHOOK_SECRET_OVERLAP", "24h")  # an old secret signs that long
WEBHOOK_RETENTION_DAYS = env.integer("WEBHOOK_RETENTION_DAYS", 30, least=1)
WEBHOOK_THREADS = env.integer("WEBHOOK_THREADS", 128, least=4, most=1024)  # requests at once, a run
WEBHOOK_HELPERS = env.integer("WEBHOOK_HELPERS", 3, least=0, most=64)  # runs besides the first
WEBHOOK_ALLOW_HTTP = env.boolean("WEBHOOK_ALLOW_HTTP", default=DEBUG)
# Webhooks go to public addresses only, and to these. Danger: whoever may edit an endpoint can then
# send requests into these networks and read the answers.
WEBHOOK_PRIVATE_NETWORKS = env.networks("WEBHOOK_PRIVATE_NETWORKS", ())
