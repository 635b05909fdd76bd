"""Reports with somebody who gets them, and people at the console."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.console import Person

ADMIN = 5_000_001
VIEW = (
    "statistics.view_dailystat",
    "statistics.view_report",
    "statistics.view_reportsubscription",
)
ACT = ("statistics.operate_dailystat", "statistics.operate_report")


@pytest.fixture(autouse=True)
def nobody_listens(settings: Settings) -> None:
    """No chat of the environment gets anything."""
    settings.ADMIN_TELEGRAM_IDS = []
    settings.TELEGRAM_LANGUAGE = "en"


@pytest.fixture
def admin_chat(settings: Settings) -> int:
    """The chat of the one admin."""
    settings.ADMIN_TELEGRAM_IDS = [ADMIN]
    return ADMIN


@pytest.fixture
def operator(person: Person) -> Client:
    return person("olga", *VIEW, *ACT)


@pytest.fixture
def supporter(person: Person) -> Client:
    return person("sam", *VIEW)
