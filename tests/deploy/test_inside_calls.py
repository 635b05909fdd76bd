"""Who calls from inside of the network, where TLS has ended: two addresses, and a token all the same."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

INSIDE = ("/v1/scale", "/api/v1/alerts/alertmanager")
OUTSIDE = ("/v1/worker/lease", "/v1/scale/else", "/api/v1/notify", "/admin/login/")


@pytest.fixture
def production(settings: Settings) -> Client:
    settings.SECURE_SSL_REDIRECT = True
    settings.OPEN_IDENTITY = False
    return Client()


@pytest.mark.parametrize("path", INSIDE)
def test_the_autoscaler_and_alertmanager_are_not_sent_to_tls(production: Client, path: str) -> None:
    answer = production.post(path, {}, "application/json")
    assert answer.status_code not in {200, 301}


@pytest.mark.parametrize("path", OUTSIDE)
def test_everybody_else_is(production: Client, path: str) -> None:
    answer = production.get(path)
    assert answer.status_code == 301
    assert answer["Location"] == f"https://testserver{path}"
