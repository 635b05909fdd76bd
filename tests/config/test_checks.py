"""Combinations of settings that cannot work are named with a number and a hint."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from config import checks

pytestmark = pytest.mark.unit
GOOD_KEY = "q8Zr3vW1xT6yB0nM5kJ7hG2fD4sA9pLcEuIoRtYw"


def ids(check: Callable[..., Iterator[CheckMessage]]) -> list[str]:
    """The numbers that a check gives, each of which must come with a hint."""
    messages = list(check())
    assert all(message.hint for message in messages)
    return [str(message.id) for message in messages]


@pytest.fixture
def production(settings: Settings) -> Settings:
    settings.DEBUG = False
    settings.OPEN_IDENTITY = False
    settings.SECRET_KEY = GOOD_KEY
    return settings


def test_production_with_a_good_key_passes(production: Settings) -> None:
    assert ids(checks.identity) == []


def test_open_identity_in_production_is_an_error(production: Settings) -> None:
    production.OPEN_IDENTITY = True
    assert ids(checks.identity) == ["switchboard.E001"]


@pytest.mark.parametrize(
    "key", ["k" * 60, "change-me-" + GOOD_KEY, "django-insecure-" + GOOD_KEY, "abcabc" * 10]
)
def test_a_key_that_can_be_guessed_is_an_error(production: Settings, key: str) -> None:
    production.SECRET_KEY = key
    assert ids(checks.identity) == ["switchboard.E002"]


def test_development_may_be_open(settings: Settings) -> None:
    settings.DEBUG = settings.OPEN_IDENTITY = True
    assert ids(checks.identity) == []


def test_a_data_dir_that_is_not_there_yet_passes(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "not" / "yet"
    assert ids(checks.data_dir) == []


def test_a_data_dir_that_cannot_be_one_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.DATA_DIR = tmp_path / "file" / "var"
    assert ids(checks.data_dir) == ["switchboard.E003"]


def test_the_times_of_the_platform_fit_as_they_are(settings: Settings) -> None:
    assert ids(checks.times) == []


@pytest.mark.parametrize(
    "change",
    [
        {"lease": timedelta(seconds=2), "watchdog": timedelta(seconds=1)},
        {"watchdog": timedelta(seconds=30)},
        {"grace": timedelta(0)},
        {"grace": timedelta(hours=1)},
        {"pocket": timedelta(seconds=20)},
    ],
)
def test_times_that_contradict_are_an_error(settings: Settings, change: dict[str, Any]) -> None:
    settings.JOBS = {**settings.JOBS, **change}
    assert set(ids(checks.times)) == {"switchboard.E004"}


def test_trials_may_have_leases_of_a_second(settings: Settings) -> None:
    settings.DEBUG = True
    second = timedelta(seconds=1)
    settings.JOBS = {**settings.JOBS, "lease": second, "watchdog": 3 * second}
    assert ids(checks.times) == []


@pytest.mark.parametrize(
    ("least", "most", "found"),
    [(0, 0, []), (2, 0, []), (2, 4, []), (0, 4, []), (4, 2, ["switchboard.E005"])],
)
def test_a_pool_grows_from_its_least_to_its_most(
    settings: Settings, least: int, most: int, found: list[str]
) -> None:
    settings.JOBS = {**settings.JOBS, "scale_min": least, "scale_max": most}
    assert ids(checks.pool) == found


def test_production_without_telegram_is_warned(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN, settings.ADMIN_TELEGRAM_IDS = "", []
    assert ids(checks.telegram) == ["switchboard.W101", "switchboard.W102"]


def test_production_on_one_machine_is_warned(production: Settings, tmp_path: Path) -> None:
    production.SITE_URL = "http://127.0.0.1:8000"
    production.EMBEDDED_POSTGRES = True
    production.STATIC_ROOT = tmp_path
    assert ids(checks.places) == ["switchboard.W103", "switchboard.W104", "switchboard.W105"]
