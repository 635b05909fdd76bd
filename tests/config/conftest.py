"""Callers of the API, and an API for them to call."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from config.accounts import token_issue


@pytest.fixture
def probe_api(settings: Settings) -> None:
    """The site with the views of tests/config/probe_api.py."""
    settings.ROOT_URLCONF = "tests.config.probe_api"


@pytest.fixture
def caller(account: Callable[..., User], probe_api: None) -> Callable[..., Client]:
    """A machine with a token: caller("config.view_ops")."""

    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make
