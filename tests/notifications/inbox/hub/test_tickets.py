"""Tickets: whose they are, how long they hold, and that each opens one connection."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from lib import clock
from notifications.inbox.models import UsedTicket
from notifications.inbox.tickets import (
    TicketInvalid,
    TicketLate,
    ticket_issue,
    ticket_read,
    tickets_use,
)


def test_a_ticket_says_whose_it_is() -> None:
    text, expires_at = ticket_issue(user_id=7, login="жанна")
    ticket = ticket_read(text)
    assert (ticket.user_id, ticket.login) == (7, "жанна")
    assert abs(ticket.expires_at - expires_at) < timedelta(milliseconds=1)
    assert timedelta(seconds=14) < expires_at - clock.now() <= timedelta(seconds=15)


def test_a_ticket_is_dead_after_fifteen_seconds() -> None:
    text, _ = ticket_issue(user_id=7, login="x")
    with clock.shift(timedelta(seconds=14)):
        ticket_read(text)
    with clock.shift(timedelta(seconds=15)), pytest.raises(TicketLate):
        ticket_read(text)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "x" + t, lambda _: "", lambda t: t.upper()]
)
def test_a_ticket_that_was_touched_is_none(change: Callable[[str], str]) -> None:
    text, _ = ticket_issue(user_id=7, login="x")
    with pytest.raises(TicketInvalid):
        ticket_read(change(text))


def test_a_ticket_is_used_once_even_within_one_call() -> None:
    one, other, expires_at = uuid4(), uuid4(), clock.now()
    assert tickets_use([(one, expires_at), (other, expires_at), (one, expires_at)]) == [
        True, True, False,
    ]  # fmt: skip
    assert tickets_use([(other, expires_at)]) == [False]


@pytest.mark.django_db(transaction=True)
def test_a_ticket_that_many_use_at_once_opens_one_connection() -> None:
    jti, expires_at = uuid4(), clock.now()

    def use(_: int) -> bool:
        try:
            return tickets_use([(jti, expires_at)])[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1
    assert UsedTicket.objects.count() == 1


def test_a_backend_with_the_permission_is_given_a_ticket(account: Callable[..., User]) -> None:
    client = APIClient()
    client.force_authenticate(account("backend", "inbox.issue_ticket"))
    answer = client.post("/api/v1/ws-tickets", {"user_id": 7, "login": "x"})
    assert answer.status_code == 201
    body = answer.json()
    assert body.keys() == {"ticket", "expires_at"}
    assert ticket_read(body["ticket"]).user_id == 7


def test_nobody_else_is_given_one(account: Callable[..., User]) -> None:
    client = APIClient()
    assert client.post("/api/v1/ws-tickets", {"user_id": 7, "login": "x"}).status_code == 401
    client.force_authenticate(account("other", "inbox.send_notification"))
    assert client.post("/api/v1/ws-tickets", {"user_id": 7, "login": "x"}).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"user_id": 7}, {"user_id": "x", "login": "x"}, {"user_id": -1, "login": "x"},
             {"user_id": 7, "login": ""}, {"user_id": 7, "login": "x" * 151}]
)  # fmt: skip
def test_a_ticket_needs_somebody(account: Callable[..., User], body: dict[str, object]) -> None:
    client = APIClient()
    client.force_authenticate(account("backend", "inbox.issue_ticket"))
    assert client.post("/api/v1/ws-tickets", body).status_code == 422
