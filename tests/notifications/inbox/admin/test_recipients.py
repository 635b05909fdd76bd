"""People: found by id or login; their inbox, devices and preferences on one page."""

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.test import Client

from notifications.inbox.admin import recipient_list
from notifications.inbox.models import Recipient
from tests.notifications.inbox.admin.rows import (
    deferred_make,
    device_make,
    note_make,
    person_make,
    push_make,
    read_make,
    recalled_make,
    sleeper_make,
)
from tests.notifications.inbox.admin.ways import acts, changes, html, page_of, said, text, to

pytestmark = pytest.mark.django_db
BOB = (8, "bob")


def home(**query: Any) -> str:
    return to(model="recipient", **query)


def listed(client: Client, **query: Any) -> list[str]:
    return [str(row) for row in client.get(home(**query)).context["page"].people]


def save(client: Client, person: Recipient, **given: Any) -> Any:
    data = {"muted_sources": "", "time_zone": "UTC", "retention_days": "15", **given}
    return client.post(page_of(person), data, follow=True)


def test_people_are_listed_with_what_matters(alice: Client) -> None:
    note_make()
    person_make((7, "alice"), muted_sources=["ads", "news"], telegram_id=5)
    bob = sleeper_make(BOB, time_zone="Europe/Berlin", fallback_after_s=300)
    device_make(bob)
    assert listed(alice) == ["8-bob", "7-alice"]
    shown = text(alice.get(home()))
    for words in (
        "1 device",
        "mutes 2 sources; has Telegram",
        "Europe/Berlin; Telegram after 5 min",
    ):
        assert words in shown


def test_those_who_are_connected_unread_or_have_wishes_are_found(alice: Client) -> None:
    device_make(person_make((1, "here")))
    note_make((2, "unread"))
    person_make((3, "wishes"), muted_sources=["ads"])
    assert listed(alice, show="connected") == ["1-here"]
    assert listed(alice, show="unread") == ["2-unread"]
    assert listed(alice, show="wishes") == ["3-wishes"]
    assert listed(alice, show="' OR 1=1") == ["3-wishes", "2-unread", "1-here"]


def test_a_person_is_found_by_id_and_login(alice: Client) -> None:
    person = person_make((7, "alice"))
    person_make((70, "alicia"))
    for wanted in ("7", "alice", "7:alice", "7-alice"):
        assert alice.get(home(q=wanted)).headers["Location"] == page_of(person), wanted
    assert listed(alice, q="ali") == ["70-alicia", "7-alice"]
    assert "Nobody is known as “zoe”." in text(alice.get(home(q="zoe")))
    assert alice.get(home(q="\x00")).status_code == 200


def test_several_of_one_name_are_listed(alice: Client) -> None:
    person_make((7, "alice"))
    person_make((70, "alice"))
    assert listed(alice, q="alice") == ["7-alice", "70-alice"]


def test_the_list_comes_page_by_page(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipient_list, "PAGE", 2)
    for n in range(1, 6):
        note_make((n, f"p{n}"))
    for query in ({}, {"show": "unread"}, {"q": "p"}):
        seen: list[str] = []
        address = home(**query)
        while address:
            answer = alice.get(address)
            seen += [row.login for row in answer.context["page"].people]
            address = answer.context["following"] and home() + answer.context["following"]
        assert seen == ["p5", "p4", "p3", "p2", "p1"], query


def test_a_long_search_stops_and_goes_on_where_it_stopped(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipient_list, "WINDOW", 2)
    monkeypatch.setattr(recipient_list, "BUDGET_S", -1)
    note_make((1, "wanted"))
    for n in range(2, 5):
        person_make((n, f"p{n}"))
    answer = alice.get(home(show="unread"))
    assert answer.context["page"].people == []
    assert "not everybody was looked at" in text(answer)
    following = alice.get(home() + answer.context["following"])
    assert [row.login for row in following.context["page"].people] == ["wanted"]


def test_the_lists_cost_the_same_with_more_people(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    device_make(person_make(unread=1))
    addresses = (home(), home(show="connected"), home(show="unread"), home(q="al"))
    few = [queries(alice, address) for address in addresses]
    for n in range(30):
        device_make(person_make((n + 100, f"al{n}"), unread=1))
    many = [queries(alice, address) for address in addresses]
    assert many == few
    assert max(few) <= 9


def test_the_inbox_has_the_held_back_and_the_unread_first(alice: Client) -> None:
    old = read_make(message="Read long ago")
    unread = note_make(message="Not read yet")
    gone = recalled_make()
    held = deferred_make(message="Tomorrow")
    note_make(BOB)
    answer = alice.get(page_of(person_make()))
    assert [row.pk for row in answer.context["held"]] == [held.pk]
    assert [row.pk for row in answer.context["unread"]] == [unread.pk]
    assert [row.pk for row in answer.context["rest"]] == [gone.pk, old.pk]
    assert "1 unread" in text(answer)
    assert "quiet hours until" in text(answer)


def test_the_devices_of_a_person_are_shown(alice: Client) -> None:
    person, row = person_make(), note_make()
    push_make(row, device_make(person, "phone <1>"))
    device_make(person_make(BOB), "of bob")
    for address in (page_of(person), page_of(person, "devices")):
        shown = text(alice.get(address))
        assert "phone <1> Chrome on Linux" in shown
        assert "of bob" not in shown
    assert "phone <1>" not in alice.get(page_of(person)).content.decode()


def test_preferences_are_saved_and_audited(alice: Client) -> None:
    person = person_make()
    answer = save(
        alice, person, muted_sources="ads\r\n news \nads", quiet_from="22:00", quiet_to="07:30",
        time_zone="Europe/Moscow", fallback_after_s="5m", telegram_id="500100201", language="ru",
        retention_days="7",
    )  # fmt: skip
    assert answer.redirect_chain == [(page_of(person), 302)]
    assert said(answer) == ["The preferences of alice are saved."]
    row = Recipient.objects.get(pk=person.pk)
    assert (row.muted_sources, row.quiet_from, row.quiet_to) == (
        ["ads", "news"],
        time(22),
        time(7, 30),
    )
    assert (row.time_zone, row.fallback_after_s, row.telegram_id) == (
        "Europe/Moscow",
        300,
        500100201,
    )
    assert (row.language, row.retention_days) == ("ru", 7)
    assert acts() == [("alice", "inbox.preferences", "7-alice")]
    assert changes()["retention_days"] == [15, 7]
    assert "retention days: 15 → 7" in text(answer)
    assert "fallback after: nothing → 300 s" in text(answer)
    assert "(UTC+03:00)" in text(answer)


def test_saving_what_is_so_already_changes_nothing(alice: Client) -> None:
    person = person_make(muted_sources=["ads"])
    save(alice, person, muted_sources="ads")
    assert acts() == []


def test_what_was_saved_is_in_the_form(alice: Client) -> None:
    person = person_make(
        muted_sources=["a", "b"], quiet_from=time(22), quiet_to=time(7), fallback_after_s=90
    )
    shown = html(alice.get(page_of(person)))
    assert ">\na\nb</textarea>" in shown
    assert 'value="22:00"' in shown
    assert 'value="90s"' in shown


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"quiet_from": "22:00"}, "Quiet hours have a beginning and an end."),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "must end at another time"),
        ({"quiet_from": "25:00", "quiet_to": "1:00"}, "Enter a valid time."),
        ({"time_zone": "Mars/Olympus"}, "There is no such zone"),
        ({"time_zone": ""}, "This field is required."),
        ({"fallback_after_s": "soon"}, "Write a span such as"),
        ({"fallback_after_s": "8d"}, "Write a span from 1s to 7d."),
        ({"fallback_after_s": "5m"}, "Telegram needs the id of the person there."),
        ({"telegram_id": "@bob"}, "A Telegram id is a number"),
        ({"telegram_id": "0"}, "A Telegram id is a number"),
        ({"retention_days": "0"}, "greater than or equal to 1"),
        ({"retention_days": "16"}, "less than or equal to 15"),
        ({"language": "xx"}, "Select a valid choice"),
        ({"muted_sources": "x" * 101}, "at most 100 characters"),
        ({"muted_sources": "\n".join(f"s{n}" for n in range(101))}, "At most 100 sources"),
    ],
)
def test_a_preference_that_cannot_be_is_said(
    alice: Client, given: dict[str, str], words: str
) -> None:
    person = person_make()
    answer = save(alice, person, **given)
    assert answer.status_code == 422
    assert words in text(answer)
    assert (
        Recipient.objects.values().get(pk=person.pk)
        == Recipient.objects.filter(
            pk=person.pk, retention_days=15, time_zone="UTC", muted_sources=[]
        )
        .values()
        .get()
    )
    assert acts() == []


def test_what_only_the_service_knows_is_said_beside_its_field(alice: Client) -> None:
    answer = save(alice, person_make(), muted_sources="a\x00b")
    assert answer.status_code == 422
    assert "Null characters are not allowed." in text(answer)


def test_a_reader_sees_the_preferences_as_facts(bob: Client) -> None:
    person = person_make(muted_sources=["ads"], fallback_after_s=300, telegram_id=5)
    shown = text(bob.get(page_of(person)))
    assert "Muted sources ads" in shown
    assert "if unread for 5 min 0 s, id 5" in shown or "if unread for 5 min, id 5" in shown


def test_the_page_costs_as_many_queries_with_a_full_inbox_as_with_one_of_a_single_line(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    person = person_make()
    note_make()
    few = queries(alice, page_of(person))
    for _ in range(20):
        push_make(note_make(), device_make(person))
        read_make()
    assert queries(alice, page_of(person)) == few <= 13
