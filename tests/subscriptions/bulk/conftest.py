from collections.abc import Callable
from typing import Any

import pytest

from subscriptions.models import BulkOperation, Subscriber
from subscriptions.panel.door import panel
from subscriptions.panel.types import PanelUser
from tests.sandbox.fixture import Sandbox

Mirror = Callable[..., list[Subscriber]]
Start = Callable[..., BulkOperation]


@pytest.fixture
def mirror(panel_on: Sandbox, transactional_db: None) -> Mirror:
    """Seed the panel and have it mirrored: mirror(3, status="DISABLED")."""

    def make(count: int, **order: Any) -> list[Subscriber]:
        ids = panel_on.panel.seed(count, **order)
        return [row_make(panel().user(number)) for number in ids]

    return make


def row_make(user: PanelUser) -> Subscriber:
    """A user of the panel as the mirror has him."""
    return Subscriber.objects.create(
        panel_id=user.id,
        username=user.username,
        status=user.status.value,
        expire_at=user.expire_at,
        telegram_id=user.telegram_id,
        tag=user.tag or "",
        used_traffic_bytes=user.used_bytes,
        panel_updated_at=user.updated_at,
    )
