"""The list: what it shows, finds and counts not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from lib import clock
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.admin.ways import html, ids, page_of, text, to
from tests.notifications.telegram.rows import ago, claim, message_make, messages_make

pytestmark = pytest.mark.django_db


def test_an_empty_list_says_what_to_do(alice: Client) -> None:
    assert "There is no message yet." in text(alice.get(to()))
    assert "No message matches." in text(alice.get(to(state="failed")))


def test_the_newest_messages_come_first_page_by_page(alice: Client) -> None:
    made = messages_make(list(range(100, 160)))[::-1]
    first = alice.get(to())
    assert ids(first) == made[:50]
    second = alice.get(to() + first.context["following"])
    assert ids(second) == made[50:]
    assert "These were all." in text(second)


def test_a_line_says_what_a_person_wants_to_know(alice: Client) -> None:
    message_make(
        500100201, "<b>Your</b> plan &amp; more", notification_type="expiry", priority=1,
        status="failed", reason="blocked", attempts=1, error_message="Forbidden: bot was blocked",
        dedup_key="plan:7",
    )  # fmt: skip
    shown = text(alice.get(to()))
    for words in (
        "Your plan & more", "expiry", "failed", "500100201", "high",
        "The person has blocked the bot.", "plan:7",
    ):  # fmt: skip
        assert words in shown


def test_a_text_cannot_bring_markup_into_the_list(alice: Client) -> None:
    message_make(text="<img src=x onerror=alert(1)> &lt;script&gt;", error_message="<i>x</i>")
    shown = html(alice.get(to()))
    assert "<img" not in shown
    assert "<script>" not in shown
    assert "<i>x" not in shown


STATES: dict[str, dict[str, Any]] = {
    "due": {},
    "scheduled": {"scheduled_at": ago(-3600)},
    "retrying": {"attempts": 2, "next_attempt_at": ago(-600)},
    "sent": {"status": "sent"},
    "failed": {"status": "failed"},
    "cancelled": {"status": "cancelled"},
}


@pytest.mark.parametrize("state", [*STATES, "sending", "pending"])
def test_each_state_can_be_asked_for(alice: Client, state: str) -> None:
    sending = message_make(99).pk
    claim()
    made = {name: message_make(100, **fields).pk for name, fields in STATES.items()}
    made["sending"] = sending
    wanted = [made[state]] if state != "pending" else [
        made[name] for name in ("retrying", "scheduled", "due", "sending")
    ]  # fmt: skip
    answer = alice.get(to(state=state))
    assert ids(answer) == wanted
    if state != "pending":
        badge = "being sent" if state == "sending" else state
        assert badge in text(answer)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"telegram_id": "-100500"}, {"chat": -100500}),
        ({"notification_type": "expiry"}, {"notification_type": "expiry"}),
        ({"priority": "0"}, {"priority": 0}),
        ({"reason": "too_long"}, {"reason": "too_long", "status": "failed"}),
        ({"dedup_key": "a:1"}, {"dedup_key": "a:1"}),
        ({"doubled": "maybe"}, {"maybe_doubled": True}),
        ({"created_to": "10m"}, {"created_at": ago(3600)}),
    ],
)
def test_each_filter_finds_its_messages(
    alice: Client, query: dict[str, str], fields: dict[str, Any]
) -> None:
    wanted = message_make(**fields)
    messages_make([200, 201])
    assert ids(alice.get(to(**query))) == [wanted.pk]


def test_a_range_of_times_finds_what_was_made_in_it(alice: Client) -> None:
    made = [
        message_make(created_at=clock.now() - timedelta(days=day)).pk for day in range(9, -1, -1)
    ]
    since = (clock.now() - timedelta(days=5, hours=12)).isoformat(timespec="seconds")[:19]
    until = (clock.now() - timedelta(days=2, hours=12)).isoformat(timespec="seconds")[:19]
    assert ids(alice.get(to(created_from=since, created_to=until))) == made[4:7][::-1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"created_from": "yesterdayish"}, "Write 2026-11-22"),
        ({"telegram_id": "@name"}, "The id of a chat is a number"),
        ({"telegram_id": str(2**70)}, "less than or equal"),
        ({"state": "lost"}, "Select a valid choice"),
        ({"dedup_key": "k" * 161}, "at most 160"),
    ],
)
def test_a_wrong_filter_says_so_and_shows_nothing(
    alice: Client, query: dict[str, str], said: str
) -> None:
    message_make()
    answer = alice.get(to(**query))
    assert answer.status_code == 200
    assert said in text(answer)
    assert ids(answer) == []


def test_a_filter_without_an_index_looks_back_in_windows(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from notifications.telegram import listing

    monkeypatch.setattr(listing, "WINDOW", 10)
    monkeypatch.setattr(listing, "BUDGET_S", -1.0)
    old = message_make(50, notification_type="rare").pk
    messages_make(list(range(100, 125)))
    answer = alice.get(to(notification_type="rare"))
    assert ids(answer) == []
    assert "Look further back" in text(answer)
    looks = 1
    while not ids(answer):
        answer = alice.get(to() + answer.context["following"])
        looks += 1
    assert ids(answer) == [old]
    assert looks == 3


@pytest.mark.parametrize("query", [{"notification_type": "rare"}, {"state": "scheduled"}])
def test_a_search_to_the_very_beginning_ends(
    alice: Client, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    from notifications.telegram import listing

    monkeypatch.setattr(listing, "WINDOW", 5)
    messages_make(list(range(100, 110)))
    answer = alice.get(to(**query))
    assert ids(answer) == []
    assert "No message matches." in text(answer)


class Search:
    """What the search box leads to."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, wanted: str) -> str:
        answer = self.client.get(to(), {"q": wanted})
        assert answer.status_code == 302
        return str(answer.headers["Location"])


@pytest.fixture
def search(alice: Client) -> Search:
    return Search(alice)


def test_the_id_of_a_message_leads_to_it(search: Search) -> None:
    row = message_make(500)
    assert search(str(row.pk)) == page_of(row)
    assert search(f"#{row.pk}") == page_of(row)


def test_the_id_of_a_chat_leads_to_its_messages(search: Search) -> None:
    message_make(500100201)
    assert search("500100201") == to(telegram_id=500100201)
    assert search("-100500") == to(telegram_id=-100500)


def test_a_number_that_is_both_says_so(search: Search, alice: Client) -> None:
    row = message_make(1)
    QueuedMessage.objects.update(telegram_id=row.pk)
    address = search(str(row.pk))
    assert address == to(telegram_id=row.pk, also=row.pk)
    assert page_of(row) in html(alice.get(address))


def test_any_other_word_is_a_dedup_key(search: Search, alice: Client) -> None:
    row = message_make(dedup_key="invoice:1024")
    address = search("invoice:1024")
    assert ids(alice.get(address)) == [row.pk]


def test_a_page_costs_as_many_queries_with_many_rows_as_with_few(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    message_make(1, status="failed", reason="blocked", attempts=1)
    few = [queries(alice, to()), queries(alice, to(state="failed"))]
    for number in range(60):
        message_make(100 + number, status="failed", reason="blocked", attempts=1)
    many = [queries(alice, to()), queries(alice, to(state="failed"))]
    assert many == few
    assert max(many) <= 16


def test_the_whole_text_of_a_long_message_is_not_read_for_a_list(alice: Client) -> None:
    message_make(text="x" * 4000 + "the end")
    (row,) = alice.get(to()).context["page"].messages
    assert {"message", "tries"} <= row.get_deferred_fields()
    assert len(row.beginning) == 200


def test_the_lane_says_what_it_does(alice: Client) -> None:
    message_make(scheduled_at=ago(120))
    message_make(status="sent", sent_at=ago(5))
    shown = text(alice.get(to("lane")))
    assert "due now 1" in shown
    assert "sent in the last minute 1" in shown
    assert "No worker that lives" in shown
