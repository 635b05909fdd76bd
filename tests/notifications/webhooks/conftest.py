from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django.fixtures import Settings

from notifications.webhooks import run
from tests.notifications.webhooks.receiver import Receiver


@pytest.fixture
def receiver(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver on 127.0.0.1, to which this site may send. No run lingers for what may come next."""
    monkeypatch.setattr(run, "LINGER_S", run.LOOK_S)
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver() as made:
        yield made
