from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, assert_not_enqueued
from lib import clock
from lib.now import gather
from notifications.webhooks.models import Delivery, Endpoint, Lane, Tally
from notifications.webhooks.types import TEST
from tests.notifications.webhooks.admin.ways import hooks, html, said, sent, text
from tests.notifications.webhooks.rows import SECRET, delivery_make, endpoint_make

FORM = {
    "title": "Shop", "url": "https://shop.example/hooks", "event_types": TEST,
    "max_in_flight": "4", "timeout_s": "10", "rate_per_minute": "",
}  # fmt: skip


@pytest.mark.parametrize("query", [{"q": "\x00"}, {"after": "\x00"}, {"condition": "\x00"}])
def test_a_question_that_makes_no_sense_finds_nothing(bob: Client, query: dict[str, str]) -> None:
    assert bob.get(hooks(**query)).status_code == 200


@pytest.mark.parametrize("moment", ["0001-01-01", "9999-12-31", "9999-12-31 23:59"])
def test_the_ends_of_the_calendar_are_no_moments_to_look_for(bob: Client, moment: str) -> None:
    delivery_make()
    for name in ("created_from", "created_to"):
        assert "Write 2026-11-22" in text(bob.get(sent(**{name: moment})))


def test_an_empty_list_says_what_to_do(anna: Client, bob: Client) -> None:
    assert "Make the first one" in text(anna.get(hooks()))
    assert "Somebody of the group Admin" in text(bob.get(hooks()))
    assert "No endpoint matches" in text(bob.get(hooks(q="x")))


def test_the_list_tells_how_each_endpoint_is(bob: Client) -> None:
    now = clock.now()
    busy, failing = endpoint_make(title="Busy"), endpoint_make(title="Failing")
    Lane.objects.filter(pk=busy.pk).update(last_success_at=now)
    Lane.objects.filter(pk=failing.pk).update(failing_since=now - timedelta(hours=3))
    endpoint_make(title="Off", state="disabled", disabled_at=now, disabled_reason="gone")
    endpoint_make(title="Deleted", state="deleted")
    delivery_make(busy)
    Tally.objects.create(endpoint_id=busy.pk, at=now, delivered=41, failed=7, duration_ms=4800)
    shown = text(bob.get(hooks()))
    for words in ("Busy", "works", "41", "100 ms", "failing", "3 h ago", "disabled"):
        assert words in shown, words
    assert "Deleted" not in shown
    assert '<rect class="delivered"' in html(bob.get(hooks()))


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"condition": "failing"}, ["Broken"]),
        ({"condition": "broken"}, ["Broken"]),
        ({"condition": "disabled"}, ["Off"]),
        ({"q": "ok.example"}, ["Fine"]),
        ({"q": "broken"}, ["Broken"]),
        ({"q": TEST}, ["Fine"]),
    ],
    ids=str,
)
def test_the_list_is_filtered(bob: Client, query: dict[str, str], titles: list[str]) -> None:
    now = clock.now()
    endpoint_make(title="Fine", url="https://ok.example/", event_types=[TEST])
    broken = endpoint_make(title="Broken")
    Lane.objects.filter(pk=broken.pk).update(
        failing_since=now, failures=5, open_until=now + timedelta(minutes=1)
    )
    endpoint_make(title="Off", state="disabled", disabled_at=now, disabled_reason="person")
    lines = bob.get(hooks(**query)).context["lines"]
    assert [endpoint.title for endpoint, _ in lines] == titles


def test_the_list_costs_the_same_however_many_there_are(
    bob: Client, queries: Callable[[Client, str], int]
) -> None:
    endpoint_make()
    few = queries(bob, hooks())
    for _ in range(10):
        delivery_make()
    assert queries(bob, hooks()) == few


def test_an_endpoint_is_made_and_changed_in_a_form(anna: Client) -> None:
    made = anna.post(hooks("new"), FORM, follow=True)
    endpoint = Endpoint.objects.get()
    assert (endpoint.event_types, endpoint.timeout_s, endpoint.created_by) == ([TEST], 10, "anna")
    assert "Send a test event" in said(made)[0]
    shown = html(anna.get(hooks("edit", endpoint.pk)))
    assert "https://shop.example/hooks" in shown
    changed = {**FORM, "title": "Other", "everything": "on", "rate_per_minute": "60"}
    anna.post(hooks("edit", endpoint.pk), changed)
    endpoint.refresh_from_db()
    assert (endpoint.title, endpoint.event_types, endpoint.rate_per_minute) == ("Other", ["*"], 60)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "https://10.0.0.1/"}, "not on the public internet"),
        ({"url": "nonsense"}, "must begin with https"),
        ({"event_types": ""}, "Choose at least one"),
        ({"title": ""}, "required"),
        ({"max_in_flight": "100"}, "64"),
    ],
    ids=str,
)
def test_a_form_that_is_refused_says_why(anna: Client, changes: dict[str, str], words: str) -> None:
    given = {name: value for name, value in {**FORM, **changes}.items() if value}
    answer = anna.post(hooks("new"), given)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        ({}, "Nothing has been sent yet"),
        ({"last_success_at": 0}, "Works; the last delivery was at"),
        ({"failing_since": -60, "last_error": "answered 500"}, "answered 500"),
        (
            {"failing_since": -60, "failures": 6, "open_until": 60, "last_error": "no answer"},
            "Down: 6 requests in a row",
        ),
        ({"paused_until": 60}, "asked to wait"),
    ],
    ids=str,
)
def test_the_page_says_how_it_is(bob: Client, standing: dict[str, int | str], words: str) -> None:
    endpoint, now = endpoint_make(), clock.now()
    Lane.objects.update(
        **{
            name: now + timedelta(seconds=value)
            if isinstance(value, int) and name != "failures"
            else value
            for name, value in standing.items()
        }
    )
    assert words in text(bob.get(hooks("change", endpoint.pk)))


def test_a_page_that_is_out_of_date_loads_again(bob: Client) -> None:
    endpoint = endpoint_make()
    assert "HX-Refresh" not in bob.get(hooks("live", endpoint.pk, seen="new")).headers
    assert bob.get(hooks("live", endpoint.pk, seen="ok")).headers["HX-Refresh"] == "true"


def test_switching_off_and_on_by_buttons(anna: Client) -> None:
    endpoint = endpoint_make()
    anna.post(hooks("disable", endpoint.pk))
    shown = text(anna.get(hooks("change", endpoint.pk)))
    assert "switched off by a person" in shown
    anna.post(hooks("enable", endpoint.pk))
    assert Endpoint.objects.get().state == "enabled"


def test_a_test_event_by_a_button_leads_to_its_delivery(alice: Client) -> None:
    answer = alice.post(hooks("ping", endpoint_make().pk), follow=True)
    delivery = Delivery.objects.get()
    assert sent("change", delivery.pk) in said(answer)[0]


def test_a_refusal_is_shown_in_its_words(alice: Client) -> None:
    off = endpoint_make(state="disabled", disabled_at=clock.now(), disabled_reason="person")
    answer = alice.post(hooks("ping", off.pk), follow=True)
    assert said(answer) == ["Refused: Shop is switched off; enable it first."]


def test_the_secret_is_shown_to_who_asks_and_kept_by_nobody(anna: Client) -> None:
    endpoint = endpoint_make()
    anna.post(hooks("rotate", endpoint.pk))
    answer = anna.post(hooks("secret", endpoint.pk))
    endpoint.refresh_from_db()
    assert str(endpoint.secret) in html(answer)
    assert SECRET in html(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert AuditEntry.objects.latest("id").action == "webhooks.reveal_secret"
    assert "A rotation is on" in text(anna.get(hooks("change", endpoint.pk)))
    again = anna.post(hooks("rotate", endpoint.pk), follow=True)
    assert "retire it first" in said(again)[0]
    anna.post(hooks("retire", endpoint.pk))
    assert "A rotation is on" not in text(anna.get(hooks("change", endpoint.pk)))


def test_a_span_is_shown_first_and_replayed_once(alice: Client) -> None:
    endpoint = endpoint_make()
    for _ in range(3):
        delivery_make(endpoint, state="failed")
    look = alice.get(hooks("replay", endpoint.pk, since="2h", which="failed"))
    assert "Send 3 deliveries again?" in text(look)
    assert_not_enqueued("webhooks.replay")
    given = dict(look.context["hidden"])
    answer = alice.post(hooks("replay", endpoint.pk), given, follow=True)
    assert "being sent again" in said(answer)[0]
    assert_enqueued("webhooks.replay", which="failed")
    again = alice.post(hooks("replay", endpoint.pk), given, follow=True)
    assert "Nothing was done" in said(again)[0]
    assert_enqueued("webhooks.replay", times=1)


def test_a_span_that_is_none_is_said_at_its_field(alice: Client) -> None:
    endpoint = endpoint_make()
    answer = alice.get(hooks("replay", endpoint.pk, since="soon", which="failed"))
    assert answer.status_code == 422
    assert "a span such as 2h" in text(answer)
    empty = alice.get(hooks("replay", endpoint.pk, since="2h", which="missing"))
    assert "nothing to send again" in text(empty)


def test_a_deleted_endpoint_is_gone_from_the_console(anna: Client) -> None:
    endpoint = endpoint_make()
    answer = anna.post(hooks("remove", endpoint.pk), follow=True)
    assert "is deleted" in said(answer)[0]
    assert anna.get(hooks("change", endpoint.pk)).status_code == 404


def test_event_types_are_shown_with_their_example(bob: Client) -> None:
    assert "This is a test." in text(bob.get(hooks("types")))


def test_the_first_page_tells_what_needs_a_person(bob: Client) -> None:
    now = clock.now()
    endpoint_make(state="disabled", disabled_at=now, disabled_reason="gone")
    endpoint_make(state="disabled", disabled_at=now, disabled_reason="person")
    failing = endpoint_make()
    Lane.objects.filter(pk=failing.pk).update(failing_since=now - timedelta(days=3))
    delivery_make(failing, state="failed")
    found = {item.title: item.count for item in gather(User.objects.get(username="bob"))}
    assert found["webhook endpoint switched off"] == 1
    assert found["webhook endpoint about to be switched off"] == 1
    assert found["failed webhook delivery"] == 1
