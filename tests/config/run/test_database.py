"""A database that others use is told from one that is free for a demo."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.utils import timezone

from config.run.database import is_used, worker_ids
from jobs.models import JobStat
from jobs.workers import worker_start
from notifications.telegram.models import QueuedMessage

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(name: str) -> str:
    """The address of a database on the server of the tests."""
    parts = connection.settings_dict
    secret = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    if parts["HOST"].startswith("/"):
        query = urlencode({"host": parts["HOST"]})
        return f"postgresql://{parts['USER']}{secret}@/{name}?{query}"
    port = parts["PORT"] or 5432
    return f"postgresql://{parts['USER']}{secret}@{parts['HOST']}:{port}/{name}"


@pytest.fixture
def url() -> str:
    return url_of(connection.settings_dict["NAME"])


def test_a_migrated_database_without_messages_is_free(url: str) -> None:
    assert not is_used(url)


def test_a_database_that_was_never_migrated_is_free() -> None:
    assert not is_used(url_of("postgres"))  # every server has one, and nobody migrates it


def test_messages_of_somebody_are_respected(url: str) -> None:
    QueuedMessage.objects.create(telegram_id=7, message="hello")
    assert is_used(url)


def test_messages_beside_an_earlier_demo_are_its_own(url: str) -> None:
    QueuedMessage.objects.create(telegram_id=7, message="hello")
    JobStat.objects.create(
        at=timezone.now(), kind="demo.trickle", queue="demo", event="completed", count=1
    )
    assert not is_used(url)


def test_a_database_that_cannot_be_asked_is_left_alone(closed_port: int) -> None:
    assert is_used(f"postgresql://somebody@127.0.0.1:{closed_port}/switchboard")


def test_workers_of_ours_are_known_by_their_ids(url: str) -> None:
    worker_start("pod:1:abc", host="pod", pid=1, queues=["default"])
    worker_start("outside:2", host="there", pid=2, queues=["external"], is_external=True)
    assert worker_ids(url) == {"pod:1:abc"}
