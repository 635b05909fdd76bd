"""Who hears of new deliveries: the pool by NOTIFY, or a job where NOTIFY does not reach it."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from jobs.testing import assert_enqueued, assert_not_enqueued
from notifications.webhooks.deliveries import delivery_replay
from notifications.webhooks.endpoints import endpoint_ping
from notifications.webhooks.models import Delivery
from notifications.webhooks.services import event_emit
from notifications.webhooks.types import TEST
from tests.notifications.webhooks.rows import delivery_make, endpoint_make

KIND = "webhooks.send_due"


def emit() -> None:
    endpoint_make()
    event_emit(TEST, {})


def ping() -> None:
    endpoint_ping(endpoint_id=endpoint_make().pk, by=None)


def replay() -> None:
    delivery_replay(delivery_id=delivery_make(state="failed").pk, by=None)


ACTS = pytest.mark.parametrize("act", [emit, ping, replay])


@ACTS
@pytest.mark.django_db(transaction=True)
def test_the_pool_is_called_when_it_commits(act: Callable[[], None], settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "wake": "notify"}
    params = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    with psycopg.connect(**params, autocommit=True) as listening:
        listening.execute("LISTEN jobs_wake")
        act()
        heard = [call.payload for call in listening.notifies(timeout=20, stop_after=1)]
    assert heard == [KIND]
    assert_not_enqueued(KIND)


@ACTS
@pytest.mark.parametrize("wake", ["redis", "poll"])
def test_where_notify_does_not_reach_it_a_job_is_made(
    act: Callable[[], None], wake: str, settings: Settings
) -> None:
    settings.JOBS = {**settings.JOBS, "wake": wake}
    act()
    assert_enqueued(KIND)


@pytest.mark.parametrize("wake", ["notify", "poll"])
def test_nobody_is_called_for_an_event_that_nobody_is_told(wake: str, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "wake": wake}
    endpoint_make(event_types=["thing.happened"])
    event_emit(TEST, {})
    assert not Delivery.objects.exists()
    assert_not_enqueued(KIND)
