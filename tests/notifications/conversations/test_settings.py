"""Settings that cannot be used stop the start with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

PROJECT = Path(__file__).resolve().parents[3]
_SHOW = (
    "from config.settings import conversations as s; "
    "print(s.NOTIFICATION_DELAY, s.NOTIFICATION_MAX_WAIT, s.ARCHIVE_CRON)"
)


def started(**environment: str) -> tuple[int, str]:
    """(exit status, what was said) of a process that reads the settings."""
    done = subprocess.run(
        [sys.executable, "-c", _SHOW],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


def test_the_longest_wait_follows_the_delay() -> None:
    assert started(NOTIFICATION_DELAY_SECS="60") == (0, "0:01:00 0:10:00 0 */5 * * * *\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIFICATION_DELAY_SECS", "soon"),
        ("NOTIFICATION_DELAY_SECS", "2d"),
        ("NOTIFICATION_MAX_WAIT_SECS", "29"),
        ("NOTICE_RETENTION_DAYS", "0"),
        ("ARCHIVE_CRON", "every day"),
        ("ARCHIVE_CRON", "* * * *"),
        ("ARCHIVE_AFTER_DAYS", "0"),
        ("ARCHIVE_ENABLED", "perhaps"),
    ],
)
def test_a_wrong_value_stops_the_start(name: str, value: str) -> None:
    status, said = started(**{name: value})
    assert status != 0
    assert f"SettingInvalid: {name} " in said
