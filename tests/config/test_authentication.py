"""Who is let in, by which door."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken
from pytest_django.fixtures import Settings

from config.accounts import OPEN_IDENTITY, token_issue, token_revoke

pytestmark = pytest.mark.usefixtures("probe_api")

DAY = timedelta(days=1)
PERMISSION = "config.view_ops"


def status(authorization: str) -> int:
    """What a caller with this Authorization header is answered."""
    return Client(headers={"Authorization": authorization}).get("/api/echo").status_code


@pytest.mark.parametrize("word", ["Bearer", "bearer", "Token", "TOKEN"])
def test_a_token_lets_its_account_in(account: Callable[..., User], word: str) -> None:
    token = token_issue(account=account("machine", PERMISSION), lifetime=DAY).token
    answer = Client(headers={"Authorization": f"{word} {token}"}).get("/api/echo")
    assert answer.json() == {"user": "machine"}


def test_an_account_has_as_many_tokens_as_it_needs(account: Callable[..., User]) -> None:
    machine = account("machine", PERMISSION)
    first, second = (token_issue(account=machine, lifetime=DAY) for _ in range(2))
    token_revoke(prefix=first.prefix)
    assert status(f"Bearer {first.token}") == 401
    assert status(f"Bearer {second.token}") == 200


def test_a_token_that_is_over_lets_nobody_in(account: Callable[..., User]) -> None:
    issued = token_issue(account=account("machine", PERMISSION), lifetime=-DAY)
    assert status(f"Bearer {issued.token}") == 401


def test_the_token_of_a_closed_account_lets_nobody_in(account: Callable[..., User]) -> None:
    machine = account("machine", PERMISSION)
    issued = token_issue(account=machine, lifetime=DAY)
    User.objects.filter(pk=machine.pk).update(is_active=False)
    assert status(f"Bearer {issued.token}") == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer a b",
        "Bearer " + "0" * 64,
        "Bearer short",
        "Bearer " + "\x00" * 64,
        "Bearer " + "ä" * 40,
        "Bearer " + "0" * 9999,
        "Basic dXNlcjpwYXNz",
    ],
)
def test_what_is_no_token_is_answered_401(db: None, authorization: str) -> None:
    answer = Client(headers={"Authorization": authorization}).get("/api/echo")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_database_keeps_no_token(account: Callable[..., User]) -> None:
    issued = token_issue(account=account(), lifetime=DAY)
    row = AuthToken.objects.values().get()
    assert issued.token not in map(str, row.values())


def test_a_session_reads_without_a_csrf_token_and_writes_only_with_it(
    account: Callable[..., User],
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(account("person", PERMISSION))
    assert browser.get("/api/echo").json() == {"user": "person"}
    refused = browser.post("/api/echo", {"name": "x"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")


@pytest.mark.parametrize("header", ["X-CSRFToken", "X-CSRF-Token"])
def test_the_csrf_token_may_come_under_either_name(
    account: Callable[..., User], header: str
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(account("person", PERMISSION))
    browser.get("/admin/login/")
    token = browser.cookies["csrftoken"].value
    taken = browser.post(
        "/api/echo", {"name": "x"}, content_type="application/json", headers={header: token}
    )
    assert taken.status_code == 200


def test_a_stranger_is_answered_401(client: Client, db: None) -> None:
    answer = client.get("/api/echo")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_open_identity_lets_a_stranger_do_everything(
    client: Client, db: None, settings: Settings
) -> None:
    settings.OPEN_IDENTITY = True
    assert client.get("/api/echo").json() == {"user": OPEN_IDENTITY}
    assert client.get("/api/echo").json() == {"user": OPEN_IDENTITY}
    identity = User.objects.get(username=OPEN_IDENTITY)
    assert identity.has_perm("auth.delete_user")
    assert not identity.has_usable_password()
    assert not identity.is_staff


def test_open_identity_does_not_forgive_a_wrong_token(db: None, settings: Settings) -> None:
    settings.OPEN_IDENTITY = True
    assert status("Bearer " + "0" * 64) == 401


@pytest.mark.parametrize("header", ["Bearer ", "Token"])
def test_open_identity_needs_no_token_where_a_shell_has_none(
    db: None, settings: Settings, header: str
) -> None:
    assert status(header) == 401
    settings.OPEN_IDENTITY = True
    assert status(header) == 200
