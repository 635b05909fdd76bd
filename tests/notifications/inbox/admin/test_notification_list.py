"""The list: found by what people know, never counted, in few queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from lib import clock
from lib.ids import uuid7
from notifications.inbox.models import Notification
from notifications.inbox.selectors import notifications as listing
from tests.notifications.inbox.admin.rows import (
    deferred_make,
    device_make,
    expired_make,
    muted_make,
    note_make,
    person_make,
    pod_make,
    push_make,
    read_make,
    recalled_make,
)
from tests.notifications.inbox.admin.ways import html, ids, page_of, text, to

pytestmark = pytest.mark.django_db
BOB = (8, "bob")
Search = Callable[[str], str]


def listed(client: Client, **query: Any) -> list[Any]:
    return ids(client.get(to(**query)))


def test_the_newest_come_first(alice: Client) -> None:
    rows = [note_make(message=f"number {n}") for n in range(3)]
    answer = alice.get(to())
    assert ids(answer) == [row.pk for row in rows[::-1]]
    assert "number 2" in text(answer)


def test_an_empty_list_says_what_comes_here(alice: Client) -> None:
    assert "There is no notification yet." in text(alice.get(to()))
    assert "No notification matches." in text(alice.get(to(state="read")))


def test_each_state_is_found_and_says_what_it_means(alice: Client) -> None:
    made = {
        "unread": note_make(),
        "read": read_make(),
        "recalled": recalled_make(),
        "auto_cleared": expired_make(),
        "muted": muted_make(),
        "deferred": deferred_make((9, "carol")),
    }
    words = {
        "unread": "expires in", "read": "read after", "recalled": "taken back",
        "auto_cleared": "nobody read it in time", "muted": "the person mutes its source",
        "deferred": "held back, comes in",
    }  # fmt: skip
    for state, row in made.items():
        answer = alice.get(to(state=state))
        assert ids(answer) == [row.pk], state
        assert words[state] in text(answer)


def test_a_replaced_one_is_found(alice: Client) -> None:
    old = note_make(collapse_key="order:1")
    new = note_make(collapse_key="order:1")
    assert listed(alice, state="replaced") == [old.pk]
    assert listed(alice, collapse_key="order:1") == [new.pk, old.pk]


def test_people_are_found_as_they_are_written(alice: Client) -> None:
    row, muted = note_make(), muted_make()
    note_make(BOB)
    for person in ("7:alice", "7-alice", "7 alice", "7", "alice", " alice "):
        assert listed(alice, person=person) == [muted.pk, row.pk], person
    assert listed(alice, person="7:bob") == []
    assert listed(alice, person="nobody") == []
    assert listed(alice, person="7:alice", state="muted") == [muted.pk]


def test_source_priority_text_request_and_quiet_hours_are_filters(alice: Client) -> None:
    row = note_make(source="billing", priority=0, correlation_id="req-1", message="Paid: 5 EUR")
    held = deferred_make(BOB)
    note_make((9, "carol"))
    for query in (
        {"source": "billing"}, {"priority": "0"}, {"correlation_id": "req-1"}, {"text": "Paid"},
    ):  # fmt: skip
        assert listed(alice, **query) == [row.pk], query
    assert listed(alice, text="5 EUR") == []  # only how it begins
    assert listed(alice, late="held") == [held.pk]


def test_a_range_of_times_is_a_filter(alice: Client) -> None:
    row = note_make()
    Notification.objects.filter(pk=row.pk).update(accepted_at=clock.now() - timedelta(minutes=5))
    new = note_make()
    assert listed(alice, accepted_from="2m") == [new.pk]
    assert listed(alice, accepted_to="2m") == [row.pk]
    assert listed(alice, accepted_from="1h") == [new.pk, row.pk]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"accepted_from": "whenever"}, "Write 2026-11-22"),
        ({"state": "lost"}, "Select a valid choice"),
        ({"priority": "9"}, "Select a valid choice"),
    ],
)
def test_a_wrong_filter_says_so(alice: Client, query: dict[str, str], words: str) -> None:
    answer = alice.get(to(**query))
    assert answer.status_code == 200
    assert words in text(answer)
    assert "The filter cannot be used as it is." in text(answer)


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"page": "-1"}, {"person": "\x00"}, {"text": "%_\\"}, {"q": "\x00"}]
)
def test_a_strange_address_is_an_ordinary_page(alice: Client, query: dict[str, str]) -> None:
    note_make()
    assert alice.get(to(**query), follow=True).status_code == 200


def test_the_list_comes_page_by_page(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [note_make(message=f"n {n}") for n in range(5)]
    monkeypatch.setattr(listing.notifications_page, "__kwdefaults__", {"after": None, "size": 2})
    for query in ({}, {"source": "shop"}, {"person": "alice"}):
        seen: list[Any] = []
        address = to(**query)
        while address:
            answer = alice.get(address)
            seen += ids(answer)
            address = answer.context["following"] and to() + answer.context["following"]
        assert seen == [row.pk for row in rows[::-1]], query


def test_a_long_search_stops_and_goes_on_where_it_stopped(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WINDOW", 2)
    monkeypatch.setattr(listing, "BUDGET_S", -1)
    wanted = note_make(source="rare")
    for _ in range(3):
        note_make()
    answer = alice.get(to(source="rare"))
    assert ids(answer) == []
    assert "Nothing found yet. Looked through what was accepted since" in text(answer)
    assert ids(alice.get(to() + answer.context["following"])) == [wanted.pk]


@pytest.fixture
def search(alice: Client) -> Search:
    return lambda wanted: str(alice.get(to(q=wanted)).headers["Location"])


def test_an_id_leads_to_its_page(search: Search) -> None:
    row = note_make()
    assert search(str(row.pk)) == page_of(row)
    assert search(f" {row.pk.hex} ") == page_of(row)


def test_a_person_is_searched_by_user_id_or_login(search: Search) -> None:
    person_make()
    assert search("7") == to(person="7")
    assert search("alice") == to(person="alice")


def test_any_other_word_is_how_a_text_begins(search: Search, alice: Client) -> None:
    row = note_make(message="Your parcel is here")
    address = search("Your parcel")
    assert ids(alice.get(address)) == [row.pk]
    unknown = str(uuid7())
    assert ids(alice.get(search(unknown))) == []


def test_saved_links_are_queries_of_the_list(alice: Client) -> None:
    note_make()
    answer = alice.get(to(state="unread"))
    assert [label for label, _, is_current in answer.context["quick"] if is_current] == ["Unread"]
    for _, query, _ in answer.context["quick"]:
        assert alice.get(f"{to()}?{query}").status_code == 200
    assert answer.context["share"] == f"http://testserver{to(state='unread')}"


def test_how_many_devices_it_reached_is_shown(alice: Client) -> None:
    row, person = note_make(), person_make()
    phone, laptop = device_make(person), device_make(person, "laptop", "pod-2")
    push_make(row, phone)
    push_make(row, laptop)
    push_make(row, phone)  # again, after it had come back
    assert alice.get(to()).context["page"].screens == {row.pk: 2}


def test_a_page_costs_as_many_queries_with_many_rows_as_with_few(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    note_make()
    addresses = (to(), to(state="unread"), to(person="alice"), to(source="shop", priority="2"))
    few = [queries(alice, address) for address in addresses]
    for n in range(60):
        note_make((100 + n, f"p{n}"))
        note_make()
    assert [queries(alice, address) for address in addresses] == few
    assert max(few) <= 14


def test_the_whole_text_of_a_long_one_is_not_read_for_a_list(alice: Client) -> None:
    note_make(message="x" * 3900 + "the end", data={"a": 1})
    (row,) = alice.get(to()).context["page"].notifications
    assert {"message", "data"} <= row.get_deferred_fields()
    assert len(row.beginning) == 200


def test_texts_cannot_break_out_of_the_page(alice: Client) -> None:
    note_make((7, "<b>al"), message="<script>alert(1)</script>", source="<i>", collapse_key="<u>")
    shown = html(alice.get(to()))
    for tag in ("<script>alert", "<b>al", "<i>", "<u>"):
        assert tag not in shown


def test_the_figures_tell_how_the_inbox_does(alice: Client) -> None:
    pod_make("a")
    pod_make("b", draining=True)
    pod_make("c", silent_s=60)
    for device in ("phone", "laptop"):
        device_make(person_make(), device, "a")
    device_make(person_make(BOB), "phone", "b")
    read_make()
    shown = text(alice.get(to("figures")))
    for words in ("connected now 3", "people 2", "pods 1 + 1 draining + 1 silent",
                  "to be published 2", "sent 1", "read 1"):  # fmt: skip
        assert words in shown, words
