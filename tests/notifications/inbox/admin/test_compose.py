"""Writing a notification: seen before it is sent, sent once, refused with words."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from notifications.inbox.models import Notification, Recipient
from tests.notifications.inbox.admin.rows import (
    device_make,
    muted_make,
    note_make,
    person_make,
    sleeper_make,
)
from tests.notifications.inbox.admin.ways import (
    acts,
    changes,
    html,
    ids,
    page_of,
    press,
    said,
    text,
    to,
)

pytestmark = pytest.mark.django_db


def look(client: Client, **given: Any) -> Any:
    """What would happen."""
    words = {"message": "Hello", "to": "7:alice", "source": "console", "priority": "2"}
    return client.post(to("compose"), {**words, "go": "look", **given})


def send(client: Client, **given: Any) -> Any:
    return press(client, look(client, **given), go="send")


def refused(client: Client, **given: Any) -> str:
    """What the form says of a notification that cannot be."""
    answer = look(client, **given)
    assert answer.status_code == 422
    return text(answer)


def test_nothing_is_sent_by_looking(alice: Client) -> None:
    answer = look(alice)
    assert "Send it to 1 person?" in text(answer)
    assert not Notification.objects.exists()
    assert not Recipient.objects.exists()


def test_one_is_sent_and_its_page_follows(alice: Client) -> None:
    answer = send(alice, message="Hello\r\nthere", priority="0", ttl_s="2h", extra='{"a": 1}')
    row = Notification.objects.get()
    assert answer.redirect_chain == [(page_of(row), 302)]
    assert (row.message, row.priority, row.ttl_s) == ("Hello\nthere", 0, 7200)
    assert (row.data, row.state, row.source) == ({"a": 1}, "unread", "console")
    assert str(row.recipient) == "7-alice"
    assert row.sender is not None
    assert row.sender.get_username() == "alice"
    assert acts() == [("alice", "inbox.send", str(row.pk))]
    assert changes() == {"people": 1, "to": "7:alice", "source": "console", "priority": 0}


def test_many_are_sent_and_their_list_follows(alice: Client) -> None:
    answer = send(alice, to="7:alice\n8:bob, 9:carol;7:alice\n")
    assert said(answer) == ["3 notifications are accepted and on their way."]
    assert sorted(str(row.recipient) for row in Notification.objects.all()) == [
        "7-alice", "8-bob", "9-carol",
    ]  # fmt: skip
    assert len(ids(answer)) == 3
    assert acts() == [("alice", "inbox.send", "many")]
    assert changes()["to"] == "7:alice, 8:bob, 9:carol"


def test_a_double_click_sends_once(alice: Client) -> None:
    seen = look(alice)
    press(alice, seen, go="send")
    answer = press(alice, seen, go="send")
    assert "Nothing was sent" in said(answer)[0]
    assert Notification.objects.count() == 1


def test_what_nobody_looked_at_is_not_sent(alice: Client) -> None:
    answer = look(alice, go="send")
    assert "Nothing was sent" in said(answer)[0]
    assert not Notification.objects.exists()


def test_one_goes_back_to_the_text_as_it_was_written(alice: Client) -> None:
    answer = press(alice, look(alice, message="My words", to="7:alice"), go="back")
    assert answer.status_code == 200
    assert answer.context["form"]["message"].value() == "My words"


def test_what_would_happen_to_each_is_said(alice: Client) -> None:
    here = person_make()
    device_make(here)
    device_make(here, "laptop")
    person_make((8, "bob"))
    sleeper_make((9, "carol"), time_zone="UTC")
    muted_make((10, "dan"))
    note_make((8, "bob"), source="ads", collapse_key="k")
    note_make((8, "bob"), source="other", collapse_key="k")
    answer = look(
        alice, source="ads", collapse_key="k", to="7:alice\n8:bob\n9:carol\n10:dan\n11:eve"
    )
    fates = {fate.target[1]: fate.what for fate in answer.context["forecast"].fates}
    assert fates == {
        "alice": "now", "bob": "waits", "carol": "deferred", "dan": "muted", "eve": "waits",
    }  # fmt: skip
    shown = text(answer)
    for words in (
        "1 is connected and gets it at once, on 2 devices.",
        "2 are not connected: it waits for them for 15 min",
        "1 keeps quiet hours now",
        "1 mutes ads",
        "For 1 it replaces an unread one with the key k",
        "1 is not known yet",
    ):
        assert words in shown, words


def test_what_was_forecast_comes_true(alice: Client) -> None:
    sleeper_make((9, "carol"))
    muted_make((10, "dan"))
    send(alice, source="ads", to="9:carol\n10:dan\n11:eve")
    states = {
        row.recipient.login: row.state
        for row in Notification.objects.filter(sender__isnull=False).select_related("recipient")
    }
    assert states == {"carol": "deferred", "dan": "muted", "eve": "unread"}


def test_critical_passes_quiet_hours(alice: Client) -> None:
    sleeper_make((9, "carol"))
    (fate,) = look(alice, to="9:carol", priority="0").context["forecast"].fates
    assert fate.what == "waits"


def test_half_a_name_is_enough_for_people_who_are_known(alice: Client) -> None:
    person_make((7, "alice"))
    person_make((8, "bob"))
    assert "Send it to 2 people?" in text(look(alice, to="alice\n8"))


def test_who_is_meant_must_be_clear(alice: Client) -> None:
    person_make((7, "alice"))
    person_make((70, "alice"))
    assert "“alice” may be 7:alice, 70:alice." in refused(alice, to="alice")
    assert "Nobody is known as “eve”; write user id and login" in refused(alice, to="eve")
    assert "Nobody is known as “0:zero”" in refused(alice, to="7:alice\n0:zero")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"message": ""}, "This field is required."),
        ({"message": "   "}, "Must be a text of 1 to 4,000 characters."),
        ({"message": "x" * 4001}, "at most 4000 characters"),
        ({"to": ""}, "This field is required."),
        ({"to": " , "}, "Name at least one person, as 7:alice."),
        ({"source": ""}, "This field is required."),
        ({"priority": "9"}, "Select a valid choice"),
        ({"ttl_s": "soon"}, "Write a span such as"),
        ({"ttl_s": "5m", "fallback_after_s": "10m"}, "Must be less than ttl_s"),
        ({"extra": "{"}, "This is not JSON"),
        ({"extra": '{"a": "' + "y" * 4100 + '"}'}, "May have 4,096 bytes"),
    ],
)
def test_what_cannot_be_sent_is_said_beside_its_field(
    alice: Client, given: dict[str, str], words: str
) -> None:
    assert words in refused(alice, **given)
    assert not Notification.objects.exists()


def test_too_many_people_are_refused(alice: Client, settings: Settings) -> None:
    settings.INBOX_MAX_TARGETS = 2
    assert "One request names at most 2 targets" in refused(alice, to="1:a\n2:b\n3:c")


def test_people_who_were_ticked_are_filled_in(alice: Client) -> None:
    first, second = person_make((7, "alice")), person_make((8, "bob"))
    answer = alice.get(to("compose", id=[first.pk, second.pk, "x"]))
    assert answer.context["form"]["to"].value() == "7:alice\n8:bob"
    assert alice.get(to("compose", to="9:carol")).context["form"]["to"].value() == "9:carol"


def test_everyone_who_is_connected_is_filled_in(alice: Client) -> None:
    device_make(person_make((7, "alice")))
    device_make(person_make((7, "alice")), "laptop")
    device_make(person_make((8, "bob")))
    person_make((9, "carol"))
    answer = alice.get(to("compose", everyone="connected"))
    assert answer.context["form"]["to"].value() == "7:alice\n8:bob"


def test_the_text_of_another_one_can_be_used_again(alice: Client) -> None:
    row = note_make(message="Again", source="billing", priority=1, data={"a": "ö"}, ttl_s=7200)
    form = alice.get(to("compose", copy=row.pk)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    assert values["message"] == "Again"
    assert (values["source"], values["priority"], values["ttl_s"]) == ("billing", "1", "2h")
    assert '"ö"' in values["extra"]


def test_the_picture_follows_what_is_written(alice: Client) -> None:
    data = {"message": "<b>Hi</b>", "source": "shop", "priority": "0", "extra": '{"x": "<i>"}'}
    shown = alice.post(to("picture"), data).content.decode()
    assert "&lt;b&gt;Hi&lt;/b&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert "is-critical" in shown
    for strange in ({}, {"extra": "{"}, {"priority": "x"}, {"message": "x" * 5000}):
        assert alice.post(to("picture"), strange).status_code == 200
    assert "nt-screen" in html(alice.get(to("compose")))


def test_a_thousand_people_cost_few_queries(
    alice: Client, django_assert_max_num_queries: Any
) -> None:
    people = "\n".join(f"{n}:p{n}" for n in range(1, 1001))
    with django_assert_max_num_queries(25):
        answer = look(alice, to=people)
    assert "Send it to 1,000 people?" in text(answer)
    assert "The first 100 of them" in text(answer)
