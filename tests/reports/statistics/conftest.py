"""Reports with somebody who gets them, and people at the console."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

ADMIN = 5_000_001
VIEW = (
    "statistics.view_dailystat",
    "statistics.view_report",
    "statistics.view_reportsubscription",
)
ACT = ("statistics.operate_dailystat", "statistics.operate_report")
PersonMake = Callable[..., Client]


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
def person(account: Callable[..., User]) -> PersonMake:
    """A signed-in member of staff: person("olga", *permissions)."""

    def make(name: str, *permissions: str) -> Client:
        client = Client()
        client.force_login(account(name, *permissions, is_staff=True))
        return client

    return make


@pytest.fixture
def operator(person: PersonMake) -> Client:
    return person("olga", *VIEW, *ACT)


@pytest.fixture
def supporter(person: PersonMake) -> Client:
    return person("sam", *VIEW)
