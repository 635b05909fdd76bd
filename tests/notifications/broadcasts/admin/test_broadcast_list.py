"""The list: filters, search, saved links, paging, what goes out now, and what it costs."""

from collections.abc import Callable

import pytest
from django.test import Client

from lib.ids import uuid7
from notifications.broadcasts.admin import listing
from notifications.broadcasts.models import Broadcast
from notifications.broadcasts.services import broadcast_cancel, broadcast_send_now
from tests.notifications.broadcasts.admin.ways import ids, said, text, to
from tests.notifications.broadcasts.rows import broadcast_make, people_make

pytestmark = pytest.mark.django_db


def test_the_newest_comes_first_with_status_and_audience(alice: Client) -> None:
    first, second = broadcast_make(title="One"), broadcast_make(title="Two")
    shown = alice.get(to())
    assert ids(shown) == [second.pk, first.pk]
    assert "Two Inbox everybody draft" in text(shown)


def test_an_empty_list_says_what_to_do(alice: Client) -> None:
    assert "There is no broadcast yet." in text(alice.get(to()))
    assert "Take a filter out" in text(alice.get(to(status="sent")))


def test_filters_find_what_they_say(alice: Client) -> None:
    people_make(1)
    inbox = broadcast_make(title="Alpha", created_by="ann")
    both = broadcast_make(title="Beta", channels=["inbox", "telegram"], body="noon is near")
    broadcast_cancel(broadcast_id=both.pk, by=None)
    missed = broadcast_make(title="Gamma")
    Broadcast.objects.filter(pk=missed.pk).update(total=3, failed=1, sent=2, status="sent")
    for query, found in (
        ({"status": "cancelled"}, [both]),
        ({"status": "draft"}, [inbox]),
        ({"channel": "telegram"}, [both]),
        ({"text": "NOON"}, [both]),
        ({"created_by": "ann"}, [inbox]),
        ({"missing": "yes"}, [missed]),
        ({"created_from": "1h"}, [missed, both, inbox]),
        ({"created_to": "1h"}, []),
        ({"status": "draft", "channel": "telegram"}, []),
    ):
        assert ids(alice.get(to(**query))) == [row.pk for row in found], query


def test_a_wrong_filter_says_what_is_wrong(alice: Client) -> None:
    shown = alice.get(to(created_from="yesteryear"))
    assert shown.status_code == 200
    assert "The filter cannot be used as it is." in text(shown)


def test_a_search_leads_to_the_id_or_looks_into_texts(alice: Client) -> None:
    row = broadcast_make()
    assert alice.get(to(q=str(row.pk)))["Location"] == to("change", row.pk)
    assert alice.get(to(q="launch"))["Location"] == to(text="launch")
    assert alice.get(to(q=str(uuid7())))["Location"].startswith(to() + "?text=")


def test_pages_follow_each_other(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    rows = [broadcast_make(title=f"N{n}") for n in range(5)]
    newest = [row.pk for row in reversed(rows)]
    first = alice.get(to(status="draft"))
    assert ids(first) == newest[:2]
    second = alice.get(to() + first.context["following"])
    assert ids(second) == newest[2:4]
    third = alice.get(to() + second.context["following"])
    assert (ids(third), third.context["following"]) == (newest[4:], "")


def test_what_goes_out_now_is_on_top(alice: Client) -> None:
    assert "Nothing goes out just now." in text(alice.get(to()))
    row = broadcast_make(title="Right now")
    broadcast_send_now(broadcast_id=row.pk, by=None)
    part = alice.get(to("now"))
    assert b"Right now" in part.content
    assert b"finding the recipients" in part.content


def test_the_list_costs_the_same_however_long_it_is(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    broadcast_make()
    few = queries(alice, to())
    for _ in range(12):
        broadcast_make()
    assert queries(alice, to()) == few <= 8


def test_many_are_cancelled_after_a_look(alice: Client) -> None:
    people_make(1)
    for n in range(3):
        broadcast_make(title=f"N{n}")
    done = broadcast_make(title="Gone")
    broadcast_send_now(broadcast_id=done.pk, by=None)
    look = alice.get(to("act", action="cancel", scope="matching", status="draft"))
    assert "Cancel 3 broadcasts?" in text(look)
    assert Broadcast.objects.filter(status="draft").count() == 3
    shown = alice.post(to("act"), dict(look.context["hidden"]), follow=True)
    assert "3 broadcasts cancelled" in text(shown)
    assert Broadcast.objects.filter(status="cancelled").count() == 3
    assert Broadcast.objects.get(pk=done.pk).status == "sending"


def test_what_cannot_be_paused_is_told(alice: Client) -> None:
    row = broadcast_make()
    look = alice.get(to("act", action="pause", id=str(row.pk)))
    assert "1 is draft: that would be refused" in text(look)
    shown = alice.post(to("act"), dict(look.context["hidden"]), follow=True)
    assert "the broadcast is draft; it cannot be paused" in text(shown)


def test_acting_on_everything_without_a_filter_is_refused(alice: Client) -> None:
    broadcast_make()
    shown = alice.get(to("act", action="cancel", scope="matching"), follow=True)
    assert "would be a mistake" in said(shown)[0]
