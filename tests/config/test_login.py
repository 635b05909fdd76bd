"""Logging in: whoever guesses waits, whoever knows gets in, and nobody shuts somebody else out."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.api import throttling
from config.login import LIMITS, LoginForm

PASSWORD = "correct horse battery staple"
TRIES = LIMITS[0][1]


@pytest.fixture(autouse=True)
def one_moment(clean_redis: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The middle of all windows, so that none ends within a test; and nothing counted yet."""
    monkeypatch.setattr(throttling.AccountThrottle, "away_until", 0.0)
    monkeypatch.setattr(throttling, "time", lambda: 1_800_000_000.0 + 100)


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("login-olga", password=PASSWORD, is_staff=True)


def log_in(name: str, password: str, address: str = "192.0.2.1") -> tuple[bool, str]:
    """(are we in, the page)"""
    browser = Client(REMOTE_ADDR=address)
    answer = browser.post(
        "/admin/login/", {"username": name, "password": password, "next": "/admin/"}
    )
    return answer.status_code == 302, answer.content.decode()


def test_the_form_of_the_console_is_ours(db: None) -> None:
    assert isinstance(Client().get("/admin/login/").context["form"], LoginForm)


def test_after_five_failed_tries_even_the_right_password_waits(olga: User) -> None:
    for _ in range(TRIES):
        is_in, page = log_in("login-olga", "guess")
        assert not is_in
        assert "Too many failed tries" not in page
    is_in, page = log_in("Login-Olga", PASSWORD)
    assert not is_in
    assert "Too many failed tries. Wait 4 minutes." in page


def test_the_one_who_is_guessed_at_still_gets_in_from_elsewhere(olga: User) -> None:
    for _ in range(TRIES):
        log_in("login-olga", "guess")
    assert log_in("login-olga", PASSWORD, "192.0.2.2")[0]


def test_an_address_that_tries_many_names_waits(
    olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.login.LIMITS", (("address", 3, 900),))
    for number in range(3):
        log_in(f"login-nobody-{number}", "guess", "192.0.2.3")
    assert "Too many failed tries" in log_in("login-olga", PASSWORD, "192.0.2.3")[1]


def test_a_name_that_is_tried_from_many_addresses_waits(
    olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.login.LIMITS", (("name", 3, 3600),))
    for number in range(3):
        log_in("login-olga", "guess", f"192.0.2.{10 + number}")
    assert "Too many failed tries" in log_in("login-olga", PASSWORD, "192.0.2.20")[1]


def test_who_knows_the_password_is_not_counted(olga: User) -> None:
    for _ in range(TRIES + 2):
        assert log_in("login-olga", PASSWORD, "192.0.2.4")[0]


def test_without_redis_people_still_get_in(olga: User, redis_away: None) -> None:
    for _ in range(TRIES + 2):
        log_in("login-olga", "guess", "192.0.2.5")
    assert log_in("login-olga", PASSWORD, "192.0.2.5")[0]
