"""The list of what became of notifications, and the figures above it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from lib.now import Severity, gather
from notifications.conversations import dialogs
from notifications.conversations.models import Notice
from notifications.conversations.selectors.notices import PAGE
from notifications.webhooks.models import Endpoint
from tests.notifications.conversations.admin.ways import notices, text, to
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    CLARA,
    after,
    dialog,
    read,
    ring,
    say,
)

pytestmark = pytest.mark.usefixtures("endpoint")


def people(answer: Any) -> list[str]:
    return [row.user_id for row in answer.context["page"].notices]


def test_an_empty_list_says_how_notices_come(alice: Client) -> None:
    assert "No timer has rung yet" in text(alice.get(notices()))


def test_each_line_says_who_and_why_not(alice: Client) -> None:
    each = dialog(ANNA, BORIS, CLARA, title="Order 7")
    say(each)
    read(each, CLARA)
    ring()
    page = text(alice.get(notices()))
    assert "boris told" in page
    assert "clara had read" in page
    assert "the message was read before its timer rang" in page
    assert "told in the last hour 1" in page


def test_each_filter_leaves_out_the_others(alice: Client) -> None:
    each, other = dialog(ANNA, BORIS, CLARA), dialog(ANNA, "dora")
    message = say(each)
    say(other)
    read(each, CLARA)
    dialogs.participant_leave(dialog_id=other, user_id="dora")
    ring()
    for query, expected in (
        ({"outcome": "sent"}, [BORIS]),
        ({"outcome": "read"}, [CLARA]),
        ({"outcome": "left"}, ["dora"]),
        ({"user_id": CLARA}, [CLARA]),
        ({"dialog_id": other}, ["dora"]),
        ({"message_id": message.pk}, [BORIS, CLARA]),
        ({"message_id": each}, []),
        ({"at_from": "2h"}, [BORIS, CLARA, "dora"]),
        ({"at_to": "2h"}, []),
        ({"at_from": "2h", "at_to": "1h"}, []),
    ):
        assert sorted(people(alice.get(notices(**query)))) == expected, query
    assert "No notification matches" in text(alice.get(notices(user_id="nobody")))
    assert "cannot be used as it is" in text(alice.get(notices(dialog_id="x")))


def test_a_search_leads_to_what_was_meant(alice: Client) -> None:
    each = dialog()
    message = say(each)
    for wanted, query in (
        (each, {"dialog_id": each}),
        (message.pk, {"message_id": message.pk}),
        (BORIS, {"user_id": BORIS}),
    ):
        assert alice.get(notices(q=wanted)).headers["Location"] == notices(**query)


def test_pages_follow_each_other(alice: Client) -> None:
    for _ in range(PAGE + 1):
        say(dialog())
    ring()
    seen: list[int] = []
    address = notices(outcome="sent")
    while address:
        answer = alice.get(address)
        seen += [row.pk for row in answer.context["page"].notices]
        following = answer.context["following"]
        address = notices() + following if following else ""
    assert seen == sorted(Notice.objects.values_list("pk", flat=True), reverse=True)


def test_the_list_costs_the_same_however_long_it_is(
    alice: Client, queries: Callable[[Client, str], int]
) -> None:
    say(dialog())
    ring()
    few = queries(alice, notices())
    for _ in range(10):
        say(dialog())
    ring()
    assert queries(alice, notices()) == few


def test_a_site_that_sends_none_says_so(alice: Client, settings: Settings) -> None:
    settings.NOTIFICATION_ENABLED = False
    assert "NOTIFICATION_ENABLED is 0" in text(alice.get(notices()))


def needed() -> dict[str, Any]:
    """What somebody who may see all is told on the first page, by title."""
    return {item.title: item for item in gather(User(is_superuser=True, is_active=True))}


def test_timers_that_nobody_serves_are_critical(alice: Client) -> None:
    say(dialog())
    with after(minutes=5):
        assert "smart notifications late" not in needed()
    with after(minutes=7):
        item = needed()["smart notifications late"]
        assert (item.count, item.severity) == (1, Severity.CRITICAL)
        assert item.url == to(waiting="yes")
        assert "should have been told" in text(alice.get(notices()))
    with after(days=2):
        assert "smart notifications late" not in needed()


def test_unread_messages_without_an_endpoint_are_a_notice(
    endpoint: Endpoint, alice: Client
) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(event_types=["webhook.test"])
    say(dialog())
    ring()
    item = needed()["unread messages that nobody is told of"]
    assert (item.count, item.severity) == (1, Severity.NOTICE)
    assert item.url == notices(outcome="no_endpoint")
    assert "look at the webhook endpoints" in text(alice.get(item.url))


def test_who_may_not_see_them_is_not_told(account: Callable[..., User]) -> None:
    say(dialog())
    with after(minutes=7):
        assert gather(account("carol", is_staff=True)) == []
