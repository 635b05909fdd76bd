"""What became of a notification, and why nobody has seen it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from lib import clock
from lib.ids import uuid7
from notifications.inbox.errors import NotificationUnknown
from notifications.inbox.models import Notification
from notifications.inbox.selectors.story import moment_of, story, timeline, why_not
from tests.notifications.inbox.api.rows import BASE, client_make, notification_make, push_make


def whats(row: Notification) -> list[str]:
    return [moment.what for moment in timeline(row.pk)]


def later(minutes: float) -> datetime:
    return clock.now() + timedelta(minutes=minutes)


def row_of(changes: dict[str, Any]) -> Notification:
    """A row with these fields; a span stands for the moment after it."""
    fields: dict[str, Any] = {
        name: clock.now() + value if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }
    return notification_make(**fields)


def test_an_unknown_notification_has_no_story() -> None:
    for ask in (story, timeline, why_not):
        with pytest.raises(NotificationUnknown):
            ask(uuid7())


def test_a_story_costs_three_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    row = notification_make(sender=User.objects.create(username="order-service"))
    push_make(row, "a", "b")
    client_make()
    with django_assert_num_queries(3):
        story(row.pk)


def test_the_sender_is_named() -> None:
    row = notification_make(sender=User.objects.create(username="orders"))
    assert timeline(row.pk)[0].text == "Accepted from orders, source shop."


def test_a_push_names_the_screens_and_an_ack_follows() -> None:
    open_now = client_make(device="phone")
    row = notification_make(state="read", read_at=later(2))
    push_make(row, str(open_now.pk), f"{uuid7()} laptop", str(uuid7()), at=later(1))

    told = story(row.pk)

    assert whats(row) == ["accepted", "pushed", "acked"]
    pushed = told.moments[1]
    assert [screen.device for screen in pushed.devices] == ["phone", "laptop", ""]
    assert pushed.text == "Shown on 3 screens of pod-1: phone, laptop, a nameless one."
    assert (told.screens, told.why_not) == (3, "")


def test_a_screen_that_was_told_twice_counts_once() -> None:
    row = notification_make()
    push_make(row, "a")
    push_make(row, "a", "b")
    assert story(row.pk).screens == 2


@pytest.mark.parametrize(
    ("changes", "moments"),
    [
        ({"state": "read", "read_at": timedelta(minutes=3)}, ["accepted", "acked"]),
        ({"updated_at": timedelta(minutes=1), "edition": 2}, ["accepted", "updated"]),
        ({"state": "auto_cleared", "cleared_at": timedelta(minutes=15)}, ["accepted", "expired"]),
        (
            {
                "state": "read",
                "cleared_at": timedelta(minutes=15),
                "read_at": timedelta(minutes=20),
            },
            ["accepted", "expired", "acked"],
        ),
        ({"state": "recalled", "recalled_at": timedelta(minutes=1)}, ["accepted", "recalled"]),
        (
            {"state": "replaced", "recalled_at": timedelta(minutes=1), "collapse_key": "order-7"},
            ["accepted", "replaced"],
        ),
        ({"fell_back_at": timedelta(minutes=2)}, ["accepted", "fallback"]),
        ({"state": "muted", "position": None, "version": None}, ["accepted", "muted"]),
        (
            {
                "state": "deferred",
                "position": None,
                "version": None,
                "deliver_at": timedelta(minutes=60),
            },
            ["accepted", "deferred"],
        ),
    ],
)
def test_every_fate_has_its_moment(changes: dict[str, Any], moments: list[str]) -> None:
    assert whats(row_of(changes)) == moments


def test_what_waited_for_quiet_hours_says_when_it_went_out() -> None:
    now = clock.now()
    position = int((now + timedelta(hours=8)).timestamp() * 1000)
    row = notification_make(position, deliver_at=now + timedelta(hours=8))
    assert whats(row) == ["accepted", "deferred", "placed"]
    assert timeline(row.pk)[2].at == moment_of(position)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "muted", "position": None, "version": None}, "muted the source shop"),
        (
            {
                "state": "deferred",
                "position": None,
                "version": None,
                "deliver_at": timedelta(minutes=60),
            },
            "quiet hours until",
        ),
        ({"state": "auto_cleared"}, "No screen was open before it expired"),
        ({"state": "recalled"}, "taken back before a screen was open"),
        ({"state": "replaced"}, "A newer one took its place"),
        ({}, "No screen of the person is open; it waits until"),
    ],
)
def test_what_nobody_saw_says_why(changes: dict[str, Any], reason: str) -> None:
    assert reason in why_not(row_of(changes).pk)


@pytest.mark.parametrize(("open_screens", "words"), [(1, "1 screen is open"), (2, "2 screens are")])
def test_a_push_that_is_on_its_way_is_not_called_lost(open_screens: int, words: str) -> None:
    for _ in range(open_screens):
        client_make()
    assert words in why_not(notification_make().pk)


def test_what_was_read_needs_no_reason() -> None:
    assert why_not(notification_make(state="read", read_at=later(1)).pk) == ""


def test_a_position_is_a_moment() -> None:
    assert moment_of(BASE).isoformat() == "2023-11-14T22:13:20+00:00"
