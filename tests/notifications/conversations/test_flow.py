"""The whole way, as in the source's section 5.2: a message over REST, its timer, a webhook by HTTP.

Real commits in Postgres, a real Redis, and a receiver that hears real requests.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook

from jobs.models import Job
from jobs.testing import drain
from lib import clock
from notifications.conversations.events import PENDING
from notifications.conversations.models import Dialog, Participant
from notifications.conversations.tasks import archive_inactive
from notifications.webhooks.endpoints import endpoint_create
from notifications.webhooks.models import Delivery, Endpoint
from notifications.webhooks.tasks import send_due
from tests.notifications.conversations.play import KIND, after
from tests.notifications.webhooks.conftest import receiver
from tests.notifications.webhooks.receiver import Answer, Receiver

__all__ = ["receiver"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed")]

USER1, USER2 = "9f4c1d52-0a57-4a0e-9d3f-0a1b2c3d4e5f", "2"


@pytest.fixture(autouse=True)
def anybody(settings: Settings) -> None:
    settings.OPEN_IDENTITY = True


@pytest.fixture
def hook(receiver: Receiver) -> Endpoint:
    """The endpoint of a backend that wants to be told of unread messages."""
    url = receiver.url("/notify")
    return endpoint_create(title="Chat", url=url, event_types=[PENDING], by=None)


def ask(path: str, body: dict[str, Any]) -> Any:
    """POST below /api/v1/dialogs. Returns the answer as JSON."""
    answer = Client().post(f"/api/v1/dialogs{path}", body, content_type="application/json")
    assert answer.status_code in {200, 201}, answer.content
    return answer.json()


def opened() -> str:
    """A dialog of two."""
    return str(ask("", {"participants": [USER1, USER2], "title": "Support"})["id"])


def said(dialog_id: str, text: str = "Hello") -> str:
    """A message of the first to the second."""
    return str(ask(f"/{dialog_id}/messages", {"sender_id": USER1, "text": text})["id"])


def work(seconds: float = 31) -> None:
    """What the workers do after so long: timers ring, webhooks go out."""
    with after(seconds=seconds):
        drain(queues=["notifications"])
        send_due.enqueue()
        drain(queues=["notifications"])


def heard(receiver: Receiver, hook: Endpoint) -> list[dict[str, Any]]:
    """The data of what arrived, each with a signature that holds."""
    secret = Endpoint.objects.get(pk=hook.pk).secret
    assert secret is not None, "it cannot be unsealed"
    found = []
    for request in receiver.received:
        event = Webhook(secret).verify(request.body, dict(request.headers))
        assert event["type"] == PENDING
        found.append(event["data"])
    return found


def test_notification_flow_end_to_end(receiver: Receiver, hook: Endpoint) -> None:
    dialog_id = opened()
    message_id = said(dialog_id)
    [job] = Job.objects.filter(kind=KIND)
    assert job.args == {
        "dialog_id": dialog_id,
        "recipient_id": USER2,
        "message_id": message_id,
    }

    work(seconds=20)
    assert receiver.received == []
    work()

    [data] = heard(receiver, hook)
    assert (data["recipient_id"], data["sender_id"]) == (USER2, USER1)
    assert (data["message_id"], data["dialog_id"]) == (message_id, dialog_id)
    assert (data["text"], data["unread_count"]) == ("Hello", 1)
    assert Delivery.objects.get().state == "delivered"


def test_notification_suppressed_when_read(receiver: Receiver, hook: Endpoint) -> None:
    dialog_id = opened()
    said(dialog_id)
    with after(seconds=29):
        ask(f"/{dialog_id}/read", {"user_id": USER2})

    work(seconds=60)

    assert receiver.received == []
    assert Delivery.objects.count() == 0


def test_debounce_multiple_messages(receiver: Receiver, hook: Endpoint) -> None:
    dialog_id = opened()
    for n in range(5):
        with after(seconds=2 * n):
            last = said(dialog_id, f"message {n}")
    [job] = Job.objects.filter(kind=KIND)
    assert (job.args["message_id"], job.debounced) == (last, 4)

    work(seconds=31)  # since the first: the timer was begun anew
    assert receiver.received == []
    work(seconds=40)

    [data] = heard(receiver, hook)
    assert (data["text"], data["unread_count"]) == ("message 4", 5)


def test_auto_archive_cron() -> None:
    dialog_id = opened()
    said(dialog_id)
    Dialog.objects.update(active_at=clock.now() - timedelta(days=8))

    archive_inactive.enqueue()
    drain(queues=["maintenance"])

    people = Participant.objects.filter(dialog_id=dialog_id)
    assert list(people.values_list("is_archived", flat=True)) == [True, True]


def test_a_receiver_that_is_down_gets_the_event_later_and_once(
    receiver: Receiver, hook: Endpoint
) -> None:
    receiver.answers(Answer(status=503), path="/notify")
    said(opened())
    work()
    assert Delivery.objects.get().state == "pending"
    work(seconds=60)
    data = heard(receiver, hook)
    assert len(data) == 2
    assert data[0] == data[1]
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert Delivery.objects.get().state == "delivered"


@pytest.mark.usefixtures("redis_away")
def test_without_redis_the_webhook_goes_out_all_the_same(
    receiver: Receiver, hook: Endpoint
) -> None:
    said(opened())
    work()
    assert len(heard(receiver, hook)) == 1
