import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoAssertNumQueries

from lib import clock
from lib.errors import InputInvalid
from notifications.webhooks.errors import EventTooLarge, EventUnknown
from notifications.webhooks.models import Delivery, Event
from notifications.webhooks.services import MAX_BODY_BYTES, event_emit
from notifications.webhooks.types import TEST
from tests.notifications.webhooks.rows import emitted, endpoint_make


def told() -> set[str]:
    return set(Delivery.objects.values_list("endpoint__title", flat=True))


def test_each_enabled_endpoint_that_wants_the_type_is_told() -> None:
    endpoint_make(title="all")
    endpoint_make(title="this", event_types=["thing.happened", TEST])
    endpoint_make(title="other", event_types=["thing.happened"])
    endpoint_make(title="gone", state="deleted")
    endpoint_make(title="off", state="disabled", disabled_at=clock.now(), disabled_reason="person")

    event_id = event_emit(TEST, {"id": 7})

    assert told() == {"all", "this"}
    event = Event.objects.get(pk=event_id)
    body = json.loads(event.body)
    assert (body["type"], body["data"]) == (TEST, {"id": 7})
    assert parse_datetime(body["timestamp"]) is not None
    first = Delivery.objects.first()
    assert first is not None
    assert (first.state, first.tries, first.event_type) == ("pending", 0, TEST)


def test_an_event_is_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for title in "abc":
        endpoint_make(title=title)
    with django_assert_num_queries(1):
        event_emit(TEST, {})


def test_an_event_that_nobody_wants_is_not_stored() -> None:
    endpoint_make(event_types=["thing.happened"])
    endpoint_make(state="deleted")
    event_emit(TEST, {})
    assert emitted() == []


def test_an_event_that_only_a_disabled_endpoint_wants_is_kept_for_a_replay() -> None:
    endpoint_make(state="disabled", disabled_at=clock.now(), disabled_reason="person")
    event_emit(TEST, {})
    assert emitted() == [TEST]
    assert told() == set()


def test_a_repeated_event_changes_nothing() -> None:
    endpoint_make()
    event_id = uuid4()
    assert event_emit(TEST, {"n": 1}, event_id=event_id) == event_id
    assert event_emit(TEST, {"n": 2}, event_id=event_id) == event_id
    assert json.loads(Event.objects.get().body)["data"] == {"n": 1}
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_with_one_id_one_is_told() -> None:
    endpoint_make()
    event_id = uuid4()

    def emit(_: int) -> None:
        try:
            event_emit(TEST, {}, event_id=event_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(emit, range(8)))
    assert Delivery.objects.count() == 1


def test_what_is_rolled_back_is_never_told() -> None:
    endpoint_make()
    with transaction.atomic():
        event_emit(TEST, {})
        transaction.set_rollback(True)
    assert emitted() == []


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(EventUnknown, match=r"no\.such"):
        event_emit("no.such", {})


def test_a_body_beyond_the_limit_is_refused() -> None:
    with pytest.raises(EventTooLarge):
        event_emit(TEST, {"text": "x" * MAX_BODY_BYTES})


@pytest.mark.parametrize("value", [object(), float, {1: {2}}], ids=["object", "type", "set"])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(InputInvalid):
        event_emit(TEST, {"value": value})
