"""Who we are, where we live, what is switched on."""

import os
import secrets
import socket
from pathlib import Path

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VERSION = (BASE_DIR / "VERSION").read_text().strip()
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve()

DEBUG = env.boolean("DEBUG", default=True)
OPEN_IDENTITY = env.boolean("OPEN_IDENTITY", default=False)
if OPEN_IDENTITY and not DEBUG:
    raise env.SettingInvalid(
        "OPEN_IDENTITY", "lets anybody in without a token, so it cannot be 1 when DEBUG is 0."
    )
if not DEBUG and float(os.environ.get("CLOCK_OFFSET_SECONDS") or 0):
    raise env.SettingInvalid(
        "CLOCK_OFFSET_SECONDS", "moves the clock, so it must be 0 when DEBUG is 0."
    )
if not DEBUG and os.environ.get("CLOCK_FILE"):
    raise env.SettingInvalid("CLOCK_FILE", "moves the clock, so it must be unset when DEBUG is 0.")


def _development_secret_key() -> str:
    """A key kept in DATA_DIR, so that sessions survive a restart of a development server."""
    path = DATA_DIR / "secret_key"
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = env.text("SECRET_KEY") or (_development_secret_key() if DEBUG else "")
if len(SECRET_KEY) < 32:
    raise env.SettingInvalid(
        "SECRET_KEY", "must be set to at least 32 random characters when DEBUG is 0."
    )
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")

POD_ID = env.text("POD_ID", socket.gethostname())
PORT = env.integer("PORT", 8000, least=0, most=65535)

INSTALLED_APPS = [
    "config.apps.ConsoleConfig",
    "unfold.apps.BasicAppConfig",  # the other one would put a site of its own in place of ours
    "unfold.contrib.filters",
    "config.apps.SwitchboardAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_prometheus",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "jobs",
    "notifications.inbox",
    "notifications.telegram",
    "notifications.webhooks",
    "notifications.conversations",
    "notifications.broadcasts",
    "payments",
    "subscriptions",
    "monitoring.files",
    "monitoring.nodes",
    "monitoring.alerts",
    "monitoring.checks",
    "monitoring.dashboard",
    "monitoring.telemetry",
    "reports.statistics",
    "reports.exports",
    "reports.retention",
    "django_q",
]
# Apps of tests and trials, whose jobs run beside ours.
_extra_apps = env.words("SWITCHBOARD_EXTRA_APPS")
if _extra_apps and not DEBUG:
    raise env.SettingInvalid(
        "SWITCHBOARD_EXTRA_APPS", "adds apps for tests, so it must be empty when DEBUG is 0."
    )
INSTALLED_APPS += _extra_apps

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
