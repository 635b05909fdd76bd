"""Addresses of the page of one subscriber, and what its buttons do."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from lib import clock
from subscriptions.models import Activation, Subscriber
from tests.subscriptions.buyers import paid


def address(row: Subscriber, name: str = "change") -> str:
    return reverse(f"admin:subscriptions_subscriber_{name}", args=[row.pk])


def text_of(client: Client, row: Subscriber, query: str = "") -> str:
    answer = client.get(f"{address(row)}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def act(client: Client, row: Subscriber, name: str, **given: Any) -> str:
    answer = client.post(address(row, name), {"next": address(row), **given}, follow=True)
    return answer.content.decode()


def stuck(row: Subscriber, **changes: Any) -> Activation:
    """A payment from five minutes ago that did not become access."""
    activation = paid(row)
    ago = clock.now() - timedelta(minutes=5)
    Activation.objects.filter(pk=activation.pk).update(created_at=ago, **changes)
    activation.refresh_from_db()
    return activation
