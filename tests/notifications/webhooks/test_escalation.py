"""An endpoint that goes on failing, from the first warning to the end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from jobs.alerts import attention_needed
from jobs.models import AuditEntry
from jobs.testing import job_perform
from lib import clock
from notifications.webhooks import endpoints, lanes
from notifications.webhooks.models import Endpoint, Lane
from tests.notifications.webhooks.receiver import Answer, Receiver
from tests.notifications.webhooks.rows import delivery_make, endpoint_make


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """What was announced to people."""
    found: list[dict[str, Any]] = []

    def receive(**event: Any) -> None:
        found.append(event)

    attention_needed.connect(receive)
    yield found
    attention_needed.disconnect(receive)


def fail_at(endpoint: Endpoint, moment: datetime) -> None:
    """One more delivery that fails at that moment."""
    with clock.shift(moment - clock.now()):
        delivery_make(endpoint)
        Lane.objects.update(open_until=None)
        job_perform("webhooks.send_due")


def test_people_are_warned_three_times_then_it_is_switched_off(
    receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    receiver.default["/"] = Answer(500)
    endpoint, began = endpoint_make(title="Shop", url=receiver.url()), clock.now()
    severities = []
    for days in (0, 2.4, 2.6, 2.7, 3.6, 4.6, 4.9):
        fail_at(endpoint, began + timedelta(days=days))
        severities.append(len(told))
    assert severities == [0, 0, 1, 1, 2, 3, 3]
    assert [event["severity"] for event in told] == ["warning", "warning", "critical"]
    assert "answered 500" in told[0]["text"]
    assert "Shop" in told[0]["title"]

    fail_at(endpoint, began + timedelta(days=5, minutes=1))

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "failing")
    assert (len(told), told[-1]["severity"]) == (4, "critical")
    assert told[-1]["link"] == f"/admin/webhooks/endpoint/{endpoint.pk}/change/"
    assert AuditEntry.objects.get().changes == {"reason": "failing"}


def test_one_success_gives_it_all_its_patience_back(
    receiver: Receiver, told: list[dict[str, Any]]
) -> None:
    receiver.default["/"] = Answer(500)
    endpoint, began = endpoint_make(url=receiver.url()), clock.now()
    fail_at(endpoint, began)
    fail_at(endpoint, began + timedelta(days=4.6))
    receiver.default.clear()
    fail_at(endpoint, began + timedelta(days=4.9))  # which succeeds
    receiver.default["/"] = Answer(500)
    fail_at(endpoint, began + timedelta(days=5.1))
    endpoint.refresh_from_db()
    assert endpoint.state == "enabled"
    assert len(told) == 1


def test_410_is_told_at_once(receiver: Receiver, told: list[dict[str, Any]]) -> None:
    receiver.default["/"] = Answer(410)
    delivery_make(endpoint_make(url=receiver.url()))
    job_perform("webhooks.send_due")
    assert [event["severity"] for event in told] == ["critical"]
    assert "410" in told[0]["text"]


def test_who_switches_it_on_again_is_not_overruled_by_a_late_failure(
    receiver: Receiver, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.default["/"] = Answer(500)
    endpoint = endpoint_make(url=receiver.url())
    Lane.objects.update(failing_since=clock.now() - timedelta(days=9), warned=90)
    delivery_make(endpoint)
    write = lanes.fates_write

    def write_after_a_person(*args: Any) -> Any:
        monkeypatch.setattr(lanes, "fates_write", write)
        endpoints.endpoint_disable(endpoint_id=endpoint.pk, by=None)
        endpoints.endpoint_enable(endpoint_id=endpoint.pk, by=None)
        return write(*args)

    monkeypatch.setattr(lanes, "fates_write", write_after_a_person)
    job_perform("webhooks.send_due")
    endpoint.refresh_from_db()
    assert (endpoint.state, told) == ("enabled", [])
