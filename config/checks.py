"""Combinations of settings that cannot work (errors), or will hurt in production (warnings).

    E001  OPEN_IDENTITY without DEBUG          W101  no TELEGRAM_BOT_TOKEN
    E002  SECRET_KEY can be guessed            W102  no ADMIN_TELEGRAM_IDS
    E003  DATA_DIR cannot be written           W103  SITE_URL points to this machine
    E004  leases, beats and stops contradict   W104  embedded servers carry production
    E005  pool bounds contradict               W105  static files were not collected

The warnings come with `check --deploy` only.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Warned

_GUESSABLE = ("secret", "changeme", "change-me", "django-insecure", "password", "example")
_HERE = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104 - compared, not bound


@register("security")
def identity(**_: Any) -> Iterator[CheckMessage]:
    """E001, E002."""
    if settings.DEBUG:
        return
    if settings.OPEN_IDENTITY:
        yield Error(
            "OPEN_IDENTITY lets anybody in without a token.",
            hint="Set OPEN_IDENTITY=0 and give each caller a token: create_service_account.",
            id="switchboard.E001",
        )
    key = settings.SECRET_KEY
    if len(set(key)) < 10 or any(word in key.lower() for word in _GUESSABLE):
        yield Error(
            "SECRET_KEY can be guessed.",
            hint='python -c "import secrets; print(secrets.token_urlsafe(48))" makes a good one.',
            id="switchboard.E002",
        )


@register()
def data_dir(**_: Any) -> Iterator[CheckMessage]:
    """E003."""
    path = Path(settings.DATA_DIR)
    nearest = next(each for each in (path, *path.parents) if each.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        yield Error(
            f"DATA_DIR {path} cannot be written.",
            hint="Give it to the user that runs this process, or set DATA_DIR to another place.",
            id="switchboard.E003",
        )


@register()
def times(**_: Any) -> Iterator[CheckMessage]:
    """E004. Trials with DEBUG may have leases of a second, to see them end."""
    jobs = settings.JOBS
    wrong = []
    if jobs["lease"] < timedelta(seconds=10) and not settings.DEBUG:
        wrong.append("a lease (JOB_LEASE) under 10 s ends when a machine is merely busy")
    if jobs["watchdog"] >= jobs["lease"] and not settings.DEBUG:
        wrong.append("the watchdog (JOB_WATCHDOG) must find a silent worker before its leases end")
    if not timedelta(0) < jobs["grace"] <= timedelta(minutes=10):
        wrong.append("the grace of a stop (WORKER_GRACE) must be over 0 and at most 10 m")
    if not timedelta(0) < jobs["pocket"] < jobs["lease"] / 2:
        wrong.append("one lease may hold less work than half its time")
    for sentence in wrong:
        yield Error(
            f"The times of the job platform contradict: {sentence}.",
            hint="See JOBS in config/settings/queue.py.",
            id="switchboard.E004",
        )


@register()
def pool(**_: Any) -> Iterator[CheckMessage]:
    """E005."""
    least, most = settings.JOBS["scale_min"], settings.JOBS["scale_max"]
    if most and most < max(least, 1):
        yield Error(
            f"WORKER_MAX ({most}) is less than WORKER_MIN ({least}).",
            hint="Set WORKER_MAX to 0 for a pool that keeps its size.",
            id="switchboard.E005",
        )


@register("messages", deploy=True)
def telegram(**_: Any) -> Iterator[CheckMessage]:
    """W101, W102."""
    if not settings.TELEGRAM_BOT_TOKEN:
        yield Warned(
            "There is no TELEGRAM_BOT_TOKEN, so nothing is sent to Telegram.",
            hint="Set TELEGRAM_BOT_TOKEN or TELEGRAM_BOT_TOKEN_FILE.",
            id="switchboard.W101",
        )
    if not settings.ADMIN_TELEGRAM_IDS:
        yield Warned(
            "There are no ADMIN_TELEGRAM_IDS, so nobody is told when something fails.",
            hint="Set ADMIN_TELEGRAM_IDS to the chat ids of the people on duty.",
            id="switchboard.W102",
        )


@register(deploy=True)
def places(**_: Any) -> Iterator[CheckMessage]:
    """W103, W104, W105."""
    if urlsplit(settings.SITE_URL).hostname in _HERE:
        yield Warned(
            f"SITE_URL is {settings.SITE_URL}, so links in alerts lead nowhere.",
            hint="Set SITE_URL to the address under which people open the console.",
            id="switchboard.W103",
        )
    if settings.EMBEDDED_POSTGRES or settings.EMBEDDED_REDIS:
        yield Warned(
            "The embedded servers carry production: no backups, no replicas, one machine.",
            hint="Set DATABASE_URL and REDIS_URL.",
            id="switchboard.W104",
        )
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        yield Warned(
            f"There are no collected static files in {settings.STATIC_ROOT}.",
            hint="Run manage.py collectstatic --noinput.",
            id="switchboard.W105",
        )
