"""The list of dialogs: found, filtered, paged, and what it says when there is nothing."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from notifications.conversations.dialogs import dialog_archive, participant_leave
from notifications.conversations.selectors.listing import PAGE
from tests.notifications.conversations.admin.ways import text, to
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    dialog,
    read,
    say,
)


def titles(answer: Any) -> list[str]:
    """The titles of a list, in their order."""
    return [row.title for row in answer.context["page"].dialogs]


def test_an_empty_list_says_how_dialogs_come(alice: Client) -> None:
    assert "There is no dialog yet" in text(alice.get(to()))


def test_a_line_says_who_what_and_who_waits(alice: Client) -> None:
    each = dialog(ANNA, BORIS, CLARA, "d", title="Order 7")
    say(each, "Hello there")
    page = text(alice.get(to()))
    assert "Order 7" in page
    assert "Hello there" in page
    assert "of 4" in page
    assert "since now" in page


def test_the_latest_activity_comes_first(alice: Client) -> None:
    first, _ = dialog(title="first"), dialog(title="second")
    assert titles(alice.get(to())) == ["second", "first"]
    with after(seconds=5):
        say(first)
    assert titles(alice.get(to())) == ["first", "second"]


def test_each_filter_leaves_out_the_others(alice: Client) -> None:
    away, waiting, done = dialog(title="Away"), dialog(title="Waiting"), dialog(CLARA, title="Done")
    dialog_archive(dialog_id=away, is_archived=True, by=None)
    say(waiting)
    for query, expected in (
        ({"archived": "yes"}, ["Away"]),
        ({"archived": "no"}, ["Done", "Waiting"]),
        ({"waiting": "yes"}, ["Waiting"]),
        ({"unread": "yes"}, ["Waiting"]),
        ({"user_id": CLARA}, ["Done"]),
        ({"title": "wAi"}, ["Waiting"]),
        ({"title": "%"}, []),
        ({"active_from": "2h"}, ["Away", "Done", "Waiting"]),
        ({"active_to": "2h"}, []),
    ):
        assert sorted(titles(alice.get(to(**query)))) == expected, query
    read(waiting)
    assert titles(alice.get(to(unread="yes"))) == []
    participant_leave(dialog_id=done, user_id=CLARA)
    answer = alice.get(to(user_id=CLARA))
    assert "No dialog matches" in text(answer)


def test_a_wrong_filter_is_said_beside_its_field(alice: Client) -> None:
    answer = alice.get(to(active_from="long ago"))
    assert answer.status_code == 200
    assert "The filter cannot be used as it is" in text(answer)


def test_a_search_leads_to_what_was_meant(alice: Client) -> None:
    each = dialog("42", title="Order 7")
    message = say(each, by="42")
    for wanted in (each, message.pk, each.hex):
        assert alice.get(to(q=wanted)).headers["Location"] == to("change", each)
    assert alice.get(to(q="42")).headers["Location"] == to(user_id="42")
    assert alice.get(to(q="order")).headers["Location"] == to(title="order")
    assert alice.get(to(q="\x00")).status_code == 302


def test_pages_follow_each_other(alice: Client) -> None:
    names = [str(n) for n in range(2 * PAGE + 1)]
    for name in names:
        dialog(title=name)
    seen, address = [], to(archived="no")
    while address:
        answer = alice.get(address)
        seen += titles(answer)
        following = answer.context["following"]
        address = to() + following if following else ""
    assert seen == names[::-1]
    assert titles(alice.get(to(after="rubbish"))) == seen[:PAGE]


def test_the_list_costs_the_same_however_long_it_is(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    say(dialog())
    few = queries(alice, to())
    for _ in range(10):
        say(dialog(ANNA, BORIS, CLARA))
    assert queries(alice, to()) == few
