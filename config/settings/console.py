"""Logging and the look of the admin."""

from typing import Any

from config import env

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "lib.logs.JsonFormatter"}},
    "handlers": {
        "stdout": {
            "class": "lib.logs.JsonHandler",
            "stream": "ext://sys.stdout",
            "formatter": "json",
        },
    },
    "root": {"level": LOG_LEVEL, "handlers": ["stdout"]},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "uvicorn.access": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        # One line per outcome is ours; django-q2 (its logger is called so) would add three per ticket.
        "django-q": {"level": "WARNING", "handlers": [], "propagate": True},
    },
}
LOGGING_CONFIG = "config.logging.configure"
