"""A page that was looked at acts once, however often and however fast it is sent."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from jobs.admin.many import once_make, once_take

NAME = "tests_once"


def request_of(user: User, session_key: str, word: str) -> HttpRequest:
    """A request as a worker has it: with the session as it stands in this moment."""
    request = RequestFactory().post("/", {"once": word})
    request.user = user
    request.session = SessionStore(session_key)
    request.session.get(NAME)  # read now
    return request


def test_of_two_that_are_sent_at_once_one_acts(db: None, account: Callable[..., User]) -> None:
    user, session = account("olga"), SessionStore()
    asked = RequestFactory().get("/")
    asked.session = session
    word = once_make(asked, NAME)
    session.save()
    assert session.session_key is not None
    # A double click: both requests have read the session before either has saved it.
    first, second = (request_of(user, session.session_key, word) for _ in range(2))
    assert once_take(first, NAME)
    assert not once_take(second, NAME)


def test_another_page_that_is_looked_at_acts_again(db: None, account: Callable[..., User]) -> None:
    user, session = account("olga"), SessionStore()
    asked = RequestFactory().get("/")
    asked.session = session
    for _ in range(2):
        word = once_make(asked, NAME)
        session.save()
        assert session.session_key is not None
        request = request_of(user, session.session_key, word)
        assert once_take(request, NAME)
        request.session.save()
        assert not once_take(request_of(user, session.session_key, word), NAME)
