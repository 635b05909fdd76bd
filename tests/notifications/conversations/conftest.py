"""What the tests of the conversations share."""

import pytest

from notifications.conversations.events import PENDING
from notifications.webhooks.models import Endpoint
from tests.notifications.webhooks.rows import endpoint_make


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    """Somebody who wants to be told of unread messages."""
    return endpoint_make(event_types=[PENDING])
