"""What the tests of the conversations share."""

from collections.abc import Iterator

import pytest

from jobs import sql
from notifications.conversations.events import PENDING
from notifications.webhooks.models import Endpoint
from tests.notifications.webhooks.rows import endpoint_make


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    """Somebody who wants to be told of unread messages."""
    return endpoint_make(event_types=[PENDING])


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    """Real commits, seen by other connections; afterwards the tables are as they were."""
    yield
    sql.run("TRUNCATE jobs_jobhistory, jobs_jobattempt")  # Django flushes only what it manages
