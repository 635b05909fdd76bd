"""Outside services. Each block has its switch: without its address or token it is off."""

from config import env

TELEGRAM_BOT_TOKEN = env.text("TELEGRAM_BOT_TOKEN")
TELEGRAM_API_URL = env.url("TELEGRAM_API_URL", "https://api.telegram.org", ("http", "https"))
ADMIN_TELEGRAM_IDS = env.integers("ADMIN_TELEGRAM_IDS")
TELEGRAM_LANGUAGE = env.choice("TELEGRAM_LANGUAGE", "en", ("en", "ru"))
TELEGRAM_RATE = env.integer("TELEGRAM_RATE", 30, least=1, most=1000)  # messages/s over all workers

NOTIFICATION_ENABLED = env.boolean("NOTIFICATION_ENABLED", default=True)
NOTIFICATION_MAX_RETRIES = env.integer("NOTIFICATION_MAX_RETRIES", 5, least=1, most=100)
NOTIFICATION_BATCH_SIZE = env.integer("NOTIFICATION_BATCH_SIZE", 50, least=1, most=1000)
CLEANUP_NOTIFICATION_DAYS = env.integer("CLEANUP_NOTIFICATION_DAYS", 7, least=1)
CLEANUP_AUDIT_RETENTION_DAYS = env.integer("CLEANUP_AUDIT_RETENTION_DAYS", 90, least=1)

SITE_URL = env.url("SITE_URL", "http://127.0.0.1:8000", ("http", "https"))  # links in alerts
# Set by make run: where the outside services are played, so that move_clock moves their time, too.
SANDBOX_URL = env.url("SANDBOX_URL", "", ("http", "https"))
