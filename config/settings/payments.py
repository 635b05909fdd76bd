"""Payments: the provider, how often it is asked, how long invoices live (docs/payments.md)."""

from config import env

CRYPTOBOT_TOKEN = env.text("CRYPTOBOT_TOKEN")
CRYPTOBOT_API_URL = env.url("CRYPTOBOT_API_URL", "https://pay.crypt.bot", ("http", "https"))
# Over all workers; Crypto Pay publishes no limit, so we are careful.
CRYPTOBOT_POLLS_PER_S = env.integer("CRYPTOBOT_POLLS_PER_S", 1, least=1, most=1000)
# Webhooks processed at once, over all workers: each asks for its invoice, and must leave threads to the
# rest when the answers are slow.
CRYPTOBOT_CONCURRENCY = env.integer("CRYPTOBOT_CONCURRENCY", 4, least=1, most=64)
# Off: no new orders. What was ordered before goes on, and the webhook is taken in all the same.
CRYPTOBOT_ENABLED = env.boolean("CRYPTOBOT_ENABLED", default=True)
INVOICE_TTL = env.span("INVOICE_TTL", "24h")  # an invoice without an end could be paid for ever
SUPPORT_CONTACT = env.text("SUPPORT_CONTACT")  # whom payers write to, such as @example_support
CLEANUP_WEBHOOK_RETENTION_DAYS = env.integer("CLEANUP_WEBHOOK_RETENTION_DAYS", 30, least=1)

if not 60 <= INVOICE_TTL.total_seconds() <= 86_400:
    raise env.SettingInvalid("INVOICE_TTL", "must be between 1m and 24h.")
