"""Breakers: state, since when, why; opened and closed by hand."""

import pytest
from django.test import Client

from jobs import breakers
from jobs.models import Breaker
from jobs.selectors.breakers import breakers_list
from tests.jobs.admin.ways import acts, said, text, to
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.django_db

HOME = "breaker_changelist"


@pytest.fixture
def panel(declare: Declare) -> str:
    """A breaker that a kind names."""
    declare(name="tests.sync", breaker="panel")
    return "panel"


def trip(name: str) -> None:
    for _ in range(breakers.THRESHOLD):
        breakers.record_failure(name, "ConnectTimeout: panel did not answer")


def test_a_breaker_that_never_opened_is_shown_with_its_kinds(alice: Client, panel: str) -> None:
    view = next(view for view in breakers_list() if view.breaker.name == panel)
    assert view.kinds == ["tests.sync"]
    assert view.breaker.state == "closed"
    assert "It has never opened" in text(alice.get(to(HOME)))


def test_an_open_breaker_says_since_when_and_why(alice: Client, panel: str) -> None:
    trip(panel)
    shown = text(alice.get(to(HOME)))
    assert "panel open" in shown
    assert "ConnectTimeout: panel did not answer" in shown
    assert "may probe it in" in shown
    assert "3 in a row" in shown


def test_closing_by_hand(alice: Client, panel: str) -> None:
    trip(panel)
    alice.post(to("breaker_close", panel))
    assert Breaker.objects.get(pk=panel).state == "closed"
    assert acts() == [("alice", "breakers.close", panel)]
    assert "set by alice" in text(alice.get(to(HOME)))


def test_opening_by_hand_holds_calls_back(alice: Client, panel: str) -> None:
    alice.post(to("breaker_open", panel))
    assert Breaker.objects.get(pk=panel).state == "open"
    assert breakers.wait_for(panel) is not None
    assert acts() == [("alice", "breakers.open", panel)]


def test_a_breaker_that_nobody_knows_is_not_made(alice: Client, panel: str) -> None:
    answer = alice.post(to("breaker_open", "nobody"), follow=True)
    assert said(answer) == ["Refused: there is no breaker nobody."]
    assert not Breaker.objects.filter(pk="nobody").exists()
    assert acts() == []


def test_the_worst_come_first(panel: str) -> None:
    trip("zebra")
    assert breakers_list()[0].breaker.name == "zebra"
