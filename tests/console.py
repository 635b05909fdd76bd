"""People at the console, and what its pages cost them. Every test may use these fixtures."""

from collections.abc import Callable, Iterable

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

Account = Callable[..., User]
Member = Callable[[str, str], Client]
Person = Callable[..., Client]
Queries = Callable[[Client, str], int]

__all__ = [
    "admin",
    "alice",
    "anna",
    "bob",
    "carol",
    "member",
    "operator",
    "person",
    "queries",
    "root",
    "supporter",
]


def signed_in(user: User) -> Client:
    """A browser with a session as the login makes it, at a third of its queries."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    return client


def without_token(client: Client) -> Client:
    """The same person in a browser that sends no token of a form, at a site that asks for it."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    return strict


def are_closed_to_strangers(addresses: Iterable[str]) -> None:
    """Who has not signed in is sent to the login from each of these."""
    asked = {address: Client().get(address) for address in addresses}
    assert asked
    for address, answer in asked.items():
        assert answer.status_code == 302, address
        assert "/login/" in answer.headers["Location"], address


@pytest.fixture
def member(account: Account) -> Member:
    """A signed-in member of one of the groups of the console: member("olga", "Operator")."""

    def make(name: str, group: str) -> Client:
        user = account(name, is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        return signed_in(user)

    return make


@pytest.fixture
def person(account: Account) -> Person:
    """A signed-in member of staff who may just this: person("olga", *permissions)."""

    def make(name: str, *permissions: str) -> Client:
        return signed_in(account(name, *permissions, is_staff=True))

    return make


@pytest.fixture
def root(account: Account) -> Client:
    """A super user."""
    return signed_in(account("root", is_staff=True, is_superuser=True))


@pytest.fixture
def anna(member: Member) -> Client:
    """Anna sets things up: she is of the group Admin."""
    return member("anna", "Admin")


@pytest.fixture
def alice(member: Member) -> Client:
    """Alice operates: she is of the group Operator."""
    return member("alice", "Operator")


@pytest.fixture
def bob(member: Member) -> Client:
    """Bob looks: he is of the group Support, and may change nothing."""
    return member("bob", "Support")


@pytest.fixture
def carol(person: Person) -> Client:
    """Carol is of the staff, and may not even look."""
    return person("carol")


@pytest.fixture
def admin(anna: Client) -> Client:
    """By the name of the trade, where a test names all three so."""
    return anna


@pytest.fixture
def operator(member: Member) -> Client:
    return member("olga", "Operator")


@pytest.fixture
def supporter(member: Member) -> Client:
    return member("sam", "Support")


@pytest.fixture
def queries() -> Queries:
    """How many queries a page costs: queries(client, address)."""

    def count(client: Client, address: str) -> int:
        client.get(address)  # what is read once per process is read by now
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        assert answer.status_code == 200
        return len(captured)

    return count
