"""Idempotency-Key of a notify request, by both ways."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jobs.models import KeptAnswer
from notifications.inbox.models import Notification
from tests.notifications.inbox.api.conftest import BOTH_WAYS, EVERYTHING
from tests.notifications.inbox.api.server import Caller, TestClient

pytestmark = BOTH_WAYS

BODY = {"target": [{"id": 1, "login": "alice"}], "message": "Once", "source": "shop"}
KEY = {"Idempotency_Key": "order-12345-notification"}


def test_the_same_body_gets_the_same_answer_byte_for_byte(sender: Caller) -> None:
    first, again = sender.notify(BODY, **KEY), sender.notify(BODY, **KEY)
    assert (first.status, again.status) == (202, 202)
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert Notification.objects.count() == 1


def test_an_answer_is_repeated_by_the_other_way_too(sender: Caller) -> None:
    first = sender.notify(BODY, **KEY)
    again = sender.by(TestClient()).notify(dict(reversed(BODY.items())), **KEY)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


def test_another_body_is_refused(sender: Caller) -> None:
    sender.notify(BODY, **KEY)
    reply = sender.notify({**BODY, "message": "Twice"}, **KEY)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")
    assert Notification.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel"])
def test_a_key_that_cannot_be_kept_is_refused(sender: Caller, key: str) -> None:
    reply = sender.notify(BODY, Idempotency_Key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_invalid")


def test_what_was_refused_may_be_mended_under_the_same_key(sender: Caller) -> None:
    assert sender.notify({**BODY, "message": ""}, **KEY).status == 422
    assert sender.notify(BODY, **KEY).status == 202


def test_a_key_belongs_to_its_account(sender: Caller, carrier: Any, token: Any) -> None:
    other = Caller(carrier, token(*EVERYTHING, name="other"))
    assert sender.notify(BODY, **KEY).content != other.notify(BODY, **KEY).content
    assert Notification.objects.count() == 2
    assert KeptAnswer.objects.count() == 2


def test_many_at_once_with_one_key_make_one_notification(sender: Caller, way: str) -> None:
    if way == "client":
        replies = [sender.notify(BODY, **KEY) for _ in range(20)]
    else:
        with ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda _: sender.notify(BODY, **KEY), range(20)))

    assert {reply.status for reply in replies} <= {202, 409}
    assert len({reply.content for reply in replies if reply.status == 202}) == 1
    assert {reply.code for reply in replies if reply.status == 409} <= {"idempotency_in_flight"}
    assert Notification.objects.count() == 1
