"""People at the console: an operator who may act, and a supporter who may only look."""

import pytest
from django.test import Client

from tests.console import Person

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


@pytest.fixture
def operator(person: Person) -> Client:
    return person("olga", *VIEW, *ACT)


@pytest.fixture
def supporter(person: Person) -> Client:
    return person("sam", *VIEW)
