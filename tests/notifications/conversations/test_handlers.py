"""What a timer does when it rings: the cases of the source's section 1.4, and those beside them."""

import json

import pytest
from pytest_django.fixtures import Settings

from jobs.testing import job_perform
from notifications.conversations.dialogs import (
    participant_leave,
    participant_notify,
    participants_add,
)
from notifications.conversations.events import EXAMPLE, TEXT_SHOWN
from notifications.conversations.models import Message, Notice, Participant
from notifications.webhooks.models import Endpoint, Event
from tests.notifications.conversations.play import (
    ANNA,
    BORIS,
    KIND,
    counted,
    dialog,
    events,
    fates,
    person,
    read,
    ring,
    say,
)

pytestmark = pytest.mark.usefixtures("endpoint")


def fire(message: Message, recipient: str = BORIS) -> dict[str, str]:
    """Run the job of a message as a worker would. Returns its result."""
    outcome = job_perform(
        KIND,
        dialog_id=str(message.dialog_id),
        recipient_id=recipient,
        message_id=str(message.pk),
    )
    found: dict[str, str] = outcome.result  # type: ignore[union-attr]
    return found


def test_notification_sent_when_unread() -> None:
    each = dialog()
    say(each, "one")
    message = say(each, "two")

    assert fire(message)["fate"] == "sent"

    event = Event.objects.get()
    assert event.type == "notification.pending"
    assert json.loads(event.body)["data"] == {
        "dialog_id": str(each),
        "dialog_title": "Order 1",
        "recipient_id": BORIS,
        "sender_id": ANNA,
        "message_id": str(message.pk),
        "position": 2,
        "text": "two",
        "sent_at": message.sent_at.isoformat(),
        "unread_count": 2,
    }
    notice = Notice.objects.get()
    assert (notice.fate, notice.event_id, notice.unread) == ("sent", event.pk, 2)


def test_notification_skipped_when_read() -> None:
    each = dialog()
    message = say(each)
    read(each)

    assert fire(message) == {"fate": "skipped", "reason": "read", "event_id": None}

    assert events() == 0
    assert counted() == {"skipped read": 1}


def test_notification_skipped_when_disabled() -> None:
    each = dialog()
    participant_notify(dialog_id=each, user_id=BORIS, is_enabled=False)
    message = say(each)

    assert fire(message)["reason"] == "disabled"

    assert events() == 0
    assert person(each).unread == 1


def test_notification_skipped_when_left() -> None:
    each = dialog()
    message = say(each)
    participant_leave(dialog_id=each, user_id=BORIS)

    assert fire(message)["reason"] == "left"

    assert events() == 0


def test_somebody_who_never_took_part_is_told_nothing() -> None:
    assert fire(say(dialog()), "nobody")["reason"] == "left"
    assert (events(), fates()) == (0, [])


def test_a_dialog_that_is_gone_is_told_of_no_more() -> None:
    each = dialog()
    message = say(each)
    Participant.objects.filter(dialog_id=each).delete()
    assert fire(message)["reason"] == "left"
    assert events() == 0


def test_who_came_back_is_not_told_of_what_was_said_before() -> None:
    each = dialog()
    message = say(each)
    participant_leave(dialog_id=each, user_id=BORIS)
    participants_add(dialog_id=each, user_ids=[BORIS])
    assert fire(message)["reason"] == "read"


def test_what_was_read_up_to_an_older_message_is_still_told() -> None:
    each = dialog()
    first, second = say(each, "one"), say(each, "two")
    read(each, upto=first)
    assert fire(second)["fate"] == "sent"
    assert json.loads(Event.objects.get().body)["data"]["unread_count"] == 1


def test_a_message_is_told_of_once_whatever_rings_again() -> None:
    message = say(dialog())
    first, second = fire(message), fire(message)
    assert first == second
    assert (events(), len(fates())) == (1, 1)
    assert counted() == {"sent": 1}


def test_a_site_that_sends_none_says_so(settings: Settings) -> None:
    message = say(dialog())
    settings.NOTIFICATION_ENABLED = False
    assert fire(message)["reason"] == "switched_off"
    assert events() == 0


def test_without_an_endpoint_nobody_is_told_and_the_notice_says_why(endpoint: Endpoint) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(event_types=["webhook.test"])
    say(dialog(), "Hello")
    assert ring() == 1
    assert fates() == [(BORIS, "Hello", "no_endpoint")]


def test_a_long_text_is_told_by_its_beginning() -> None:
    fire(say(dialog(), "й" * 9000))
    assert json.loads(Event.objects.get().body)["data"]["text"] == "й" * TEXT_SHOWN


def test_the_example_has_the_fields_of_a_real_event() -> None:
    fire(say(dialog()))
    assert json.loads(Event.objects.get().body)["data"].keys() == EXAMPLE.keys()
