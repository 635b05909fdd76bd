from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from lib import clock
from notifications.webhooks.models import Attempt, Delivery, Lane
from tests.notifications.webhooks.admin.ways import html, ids, said, sent, text
from tests.notifications.webhooks.rows import delivery_make, endpoint_make


def attempt_make(delivery: Delivery, **changes: object) -> Attempt:
    given = {
        "delivery": delivery, "endpoint_id": delivery.endpoint_id, "number": 1, "at": clock.now(),
        "duration_ms": 84, "outcome": "failed", "status": 503, "error": "answered 503",
        "url": delivery.endpoint.url, "response_body": "<b>down</b>", **changes,
    }  # fmt: skip
    return Attempt.objects.create(**given)


def test_an_empty_list_says_what_to_do(bob: Client) -> None:
    assert "There is no delivery yet." in text(bob.get(sent()))
    assert "No delivery matches." in text(bob.get(sent(state="failed")))
    assert "The field says what is wrong." in text(bob.get(sent(created_from="soon")))


def test_the_list_is_filtered_and_its_address_can_be_shared(bob: Client) -> None:
    endpoint = endpoint_make()
    failed = delivery_make(endpoint, state="failed", last_status=500, last_error="answered 500")
    delivery_make(endpoint)
    other = delivery_make(state="failed")
    answer = bob.get(sent(state="failed", endpoint=endpoint.pk))
    assert ids(answer) == [failed.pk]
    assert answer.context["share"].endswith(f"?state=failed&endpoint={endpoint.pk}")
    assert ids(bob.get(sent(state="failed"))) == [other.pk, failed.pk]
    assert ids(bob.get(sent(status="500"))) == [failed.pk]
    assert ids(bob.get(sent(event=other.event_id))) == [other.pk]


def test_the_list_costs_the_same_however_many_there_are(
    bob: Client, queries: Callable[[Client, str], int]
) -> None:
    delivery_make()
    few = queries(bob, sent())
    for _ in range(10):
        delivery_make()
    assert queries(bob, sent()) == few


@pytest.mark.parametrize("form", ["{pk}", "#{pk}", "msg_{event}", "{uuid}"])
def test_a_delivery_is_found_by_what_people_have(bob: Client, form: str) -> None:
    row = delivery_make()
    wanted = form.format(pk=row.pk, event=row.event_id.hex, uuid=row.event_id)
    answer = bob.get(sent(q=wanted), follow=True)
    assert answer.status_code == 200
    assert f"#{row.pk}" in text(answer) or f"Delivery {row.pk}" in text(answer)


def test_the_page_tells_what_was_sent_and_answered(bob: Client) -> None:
    row = delivery_make(data={"order": 7}, tries=1, attempts=1, last_error="answered 503",
                        next_attempt_at=clock.now() + timedelta(minutes=5))  # fmt: skip
    attempt_make(row)
    shown = text(bob.get(sent("change", row.pk)))
    assert "Failed once; the last time: answered 503. The next try is at" in shown
    assert '"order": 7' in shown
    assert "84 ms" in shown
    assert f"msg_{row.event_id.hex}" in shown
    assert "&lt;b&gt;down&lt;/b&gt;" in html(bob.get(sent("change", row.pk)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "delivered", "last_status": 204}, "answered 204"),
        ({"state": "failed", "tries": 10, "last_error": "no answer in time"}, "Given up after 10"),
        ({"state": "cancelled"}, "Cancelled by a person"),
        ({}, "waits for its turn"),
    ],
    ids=str,
)
def test_the_page_says_why_it_is_where_it_is(
    bob: Client, changes: dict[str, Any], words: str
) -> None:
    assert words in text(bob.get(sent("change", delivery_make(**changes).pk)))


def test_what_holds_up_a_delivery_is_said(bob: Client) -> None:
    row = delivery_make()
    Lane.objects.update(open_until=clock.now() + timedelta(minutes=1))
    assert "Its endpoint is down." in text(bob.get(sent("change", row.pk)))
    Lane.objects.update(open_until=None, paused_until=clock.now() + timedelta(minutes=1))
    assert "Its endpoint asked to wait." in text(bob.get(sent("change", row.pk)))
    row.endpoint.state, row.endpoint.disabled_reason = "disabled", "person"
    row.endpoint.disabled_at = clock.now()
    row.endpoint.save()
    assert "until its endpoint is enabled" in text(bob.get(sent("change", row.pk)))


def test_a_page_that_is_out_of_date_loads_again(bob: Client) -> None:
    row = delivery_make()
    assert "HX-Refresh" not in bob.get(sent("live", row.pk, seen="pending.0")).headers
    assert bob.get(sent("live", row.pk, seen="pending.1")).headers["HX-Refresh"] == "true"


def test_replay_and_cancel_by_buttons(alice: Client) -> None:
    row = delivery_make(state="failed")
    answer = alice.post(sent("replay", row.pk), follow=True)
    assert said(answer) == [f"Delivery {row.pk} is due now, with all its tries."]
    again = alice.post(sent("replay", row.pk), follow=True)
    assert "on its way already" in said(again)[0]
    alice.post(sent("cancel", row.pk))
    row.refresh_from_db()
    assert row.state == "cancelled"


def test_many_are_shown_first_then_replayed_once(alice: Client) -> None:
    endpoint = endpoint_make()
    off = endpoint_make(state="disabled", disabled_at=clock.now(), disabled_reason="person")
    rows = [delivery_make(endpoint, state="failed") for _ in range(3)]
    delivery_make(off, state="failed")
    look = alice.get(sent("act", action="replay", scope="matching", state="failed"))
    assert "Replay 4 webhooks?" in text(look)
    assert "1 is of an endpoint that is switched off" in text(look)
    assert not Delivery.objects.filter(state="pending").exists()
    given = dict(look.context["hidden"])
    done = alice.post(sent("act"), given, follow=True)
    assert "3 webhooks sent again" in text(done)
    assert "its endpoint is switched off" in text(done)
    assert Delivery.objects.filter(state="pending").count() == len(rows)
    again = alice.post(sent("act"), given, follow=True)
    assert "Nothing was done" in said(again)[0]


def test_chosen_ones_are_cancelled(alice: Client) -> None:
    rows = [delivery_make() for _ in range(3)]
    look = alice.get(sent("act", action="cancel", id=rows[0].pk))
    alice.post(sent("act"), dict(look.context["hidden"]))
    assert list(Delivery.objects.filter(state="cancelled")) == [rows[0]]


def test_acting_on_everything_there_is_would_be_a_mistake(alice: Client) -> None:
    delivery_make()
    answer = alice.get(sent("act", action="cancel", scope="matching"), follow=True)
    assert "Filter the list first" in said(answer)[0]
