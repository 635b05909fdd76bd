from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection

from jobs import sql
from notifications.inbox import publisher
from tests.notifications.inbox.lifecycle.heard import Ear


@pytest.fixture
def committed(clean_redis: None, transactional_db: None) -> Iterator[None]:
    """Real commits and a Redis that holds nothing of us; afterwards the tables are as they were."""
    yield
    sql.run("TRUNCATE jobs_jobhistory, jobs_jobattempt")  # Django flushes only what it manages


@pytest.fixture
def ear(committed: None) -> Iterator[Ear]:
    """Hears what is published to the inboxes."""
    pubsub = get_redis_connection("default").pubsub()
    heard = Ear(pubsub)
    yield heard
    publisher.stop()
    pubsub.close()
