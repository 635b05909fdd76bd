"""Writing a message: seen before it is queued, tried on the admins, refused with words."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from lib import clock
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.admin.ways import acts, page_of, said, text, to
from tests.notifications.telegram.rows import message_make

pytestmark = pytest.mark.django_db


def write(client: Client, **given: Any) -> Any:
    data = {
        "message": "<b>Hello</b>", "parse_mode": "HTML", "telegram_id": "500", "priority": "2",
        "scheduled_at": "", "go": "queue", **given,
    }  # fmt: skip
    return client.post(to("compose"), data)


def test_a_message_is_queued_and_its_page_follows(alice: Client) -> None:
    answer = write(alice, message="<b>Hello</b>\r\nthere", priority="0")
    row = QueuedMessage.objects.get()
    assert answer.headers["Location"] == page_of(row)
    assert (row.telegram_id, row.message, row.priority) == (500, "<b>Hello</b>\nthere", 0)
    assert (row.parse_mode, row.status) == ("HTML", "pending")
    assert row.scheduled_at <= clock.now()
    assert acts() == [("alice", "telegram.send", str(row.pk))]


def test_a_group_and_plain_text_and_a_later_time_are_possible(alice: Client) -> None:
    write(alice, telegram_id="-1001234567890", parse_mode="", message="5 < 6", scheduled_at="2h")
    row = QueuedMessage.objects.get()
    assert (row.telegram_id, row.parse_mode, row.message) == (-1001234567890, None, "5 < 6")
    assert timedelta(minutes=119) < row.scheduled_at - clock.now() <= timedelta(minutes=120)


def test_a_time_can_be_said_in_many_ways(alice: Client) -> None:
    tomorrow = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for when, at in (
        ("", clock.now()),
        ("now", clock.now()),
        ("30m", clock.now() + timedelta(minutes=30)),
        ("in 30m", clock.now() + timedelta(minutes=30)),
        (f"{tomorrow:%Y-%m-%d}", tomorrow),
        (f"{tomorrow:%Y-%m-%d} 14:00", tomorrow + timedelta(hours=14)),
        (f"{tomorrow:%Y-%m-%d}T14:00+02:00", tomorrow + timedelta(hours=12)),
    ):
        assert write(alice, scheduled_at=when).status_code == 302, when
        row = QueuedMessage.objects.latest("id")
        assert abs(row.scheduled_at - at) < timedelta(minutes=1), when


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"message": ""}, "This field is required."),
        ({"message": " \n "}, "The text is empty"),
        ({"message": "<b>no end"}, "The tag <b> is never closed."),
        ({"message": "<div>x</div>"}, "Telegram has no tag <div>"),
        ({"message": "x" * 4097}, "The text has 4097 characters; Telegram takes 4096."),
        ({"message": "a\x00b"}, "Null characters are not allowed."),
        ({"telegram_id": ""}, "This field is required."),
        ({"telegram_id": "@olga"}, "The id of a chat is a number"),
        ({"telegram_id": "0"}, "that Telegram could have given."),
        ({"telegram_id": str(2**63)}, "less than or equal to"),
        ({"priority": "9"}, "Select a valid choice."),
        ({"parse_mode": "BBCode"}, "Select a valid choice."),
        ({"scheduled_at": "someday"}, "Write nothing for now"),
        ({"scheduled_at": "2020-01-01 10:00"}, "This moment is over"),
        ({"scheduled_at": "500d"}, "more than a year away"),
        ({"scheduled_at": "99999999999999d"}, "Write nothing for now"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    alice: Client, given: dict[str, str], words: str
) -> None:
    answer = write(alice, **given)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not QueuedMessage.objects.exists()


def test_what_was_written_is_still_there_after_a_refusal(alice: Client) -> None:
    answer = write(alice, message="<b>no end", telegram_id="500100201")
    assert answer.context["form"]["message"].value() == "<b>no end"
    assert 'value="500100201"' in answer.content.decode()


def test_a_test_goes_to_the_admins_at_once_and_the_text_stays(alice: Client) -> None:
    answer = write(alice, go="test", telegram_id="", scheduled_at="2h")
    assert said(answer) == ["A test is on its way to 2 admins. Your text is still here."]
    rows = list(QueuedMessage.objects.order_by("telegram_id"))
    assert [(row.telegram_id, row.notification_type, row.priority) for row in rows] == [
        (1, "test", 0), (2, "test", 0),
    ]  # fmt: skip
    assert all(row.scheduled_at <= clock.now() for row in rows)
    assert "<b>Hello</b>" in answer.context["form"]["message"].value()


def test_without_admins_a_test_is_refused(alice: Client, settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = []
    assert "ADMIN_TELEGRAM_IDS is empty" in said(write(alice, go="test"))[0]
    assert not QueuedMessage.objects.exists()


def test_a_bad_text_is_not_tried_on_the_admins(alice: Client) -> None:
    assert write(alice, go="test", message="<b>no end").status_code == 422
    assert not QueuedMessage.objects.exists()


def test_the_form_begins_with_what_the_link_says(alice: Client) -> None:
    row = message_make(text="Text to copy", parse_mode=None)
    for query, name, value in (
        ({"chat": "-100500"}, "telegram_id", -100500),
        ({"copy": str(row.pk)}, "message", "Text to copy"),
        ({"copy": str(row.pk)}, "parse_mode", ""),
        ({}, "parse_mode", "HTML"),
        ({"chat": "x", "copy": "y", "template": "z"}, "telegram_id", ""),
    ):
        form = alice.get(to("compose"), query).context["form"]
        assert form[name].value() == value
    form = alice.get(to("compose"), {"template": "traffic_reset", "language": "ru"}).context["form"]
    assert "трафик" in form["message"].value().lower()


def preview(client: Client, message: str, parse_mode: str = "HTML") -> dict[str, Any]:
    found: dict[str, Any] = client.post(
        to("compose_preview"), {"message": message, "parse_mode": parse_mode}
    ).json()
    return found


def test_the_picture_follows_the_text(alice: Client) -> None:
    assert preview(alice, "<b>Hi</b> &amp; bye") == {
        "body": "<b>Hi</b> &amp; bye", "length": 8, "limit": 4096, "note": "", "error": "",
    }  # fmt: skip
    assert "never closed" in preview(alice, "<b>Hi")["error"]
    assert preview(alice, "<b>Hi", "")["body"] == "&lt;b&gt;Hi"
    assert preview(alice, "x" * 4097)["length"] == 4097
    assert "4096" in preview(alice, "x" * 4097)["error"]
