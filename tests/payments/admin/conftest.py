"""People at the console: an operator who may act, and a supporter who may only look."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

VIEW = (
    "payments.view_payment",
    "payments.view_review",
    "payments.view_incomingwebhook",
    "payments.view_financialday",
)
ACT = (
    "payments.operate_payment",
    "payments.enqueue_payment",
    "payments.operate_review",
    "payments.operate_incomingwebhook",
)
PersonMake = Callable[..., Client]


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
