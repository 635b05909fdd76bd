"""Lines of the feed, and the call that follows their commit."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as active
from django.db import transaction

from lib import clock
from monitoring.dashboard import calling, receivers
from monitoring.dashboard.events import event_note
from monitoring.dashboard.models import PlatformEvent
from payments.events import payment_completed, payment_failed, payment_refunded
from tests.monitoring.dashboard.rows import paid


def hearing_make() -> Any:
    client: Any = redis.Redis.from_url(active.REDIS_URL)
    return client.pubsub()


def test_an_event_is_a_row_of_the_transaction() -> None:
    before = clock.now()
    event = event_note("node_offline", "fra-1 is offline", "/admin/nodes/node/", "critical")
    event.refresh_from_db()
    assert (event.kind, event.title, event.link) == (
        "node_offline", "fra-1 is offline", "/admin/nodes/node/",
    )  # fmt: skip
    assert event.severity == "critical"
    assert before <= event.at <= clock.now()
    event_note("node_offline", "fra-1 is offline")
    assert PlatformEvent.objects.count() == 2  # twice is two lines


def test_what_is_too_long_is_cut_and_a_link_that_is_leads_nowhere() -> None:
    event = event_note("x" * 99, "й" * 300, "/" + "x" * 300)
    event.refresh_from_db()
    assert (len(event.kind), len(event.title), event.link) == (60, 200, "")
    assert event.title.endswith("й…")


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="loud"):
        event_note("node_offline", "fra-1", severity="loud")
    assert not PlatformEvent.objects.exists()


def test_the_call_comes_after_the_commit_and_once_for_what_was_noted_together(
    committed: None,
) -> None:
    with hearing_make() as hearing:
        hearing.subscribe(calling.CHANNEL)
        assert hearing.get_message(timeout=10)["type"] == "subscribe"
        with transaction.atomic():
            event_note("node_offline", "fra-1 is offline")
            assert calling.flush()
            assert hearing.get_message(timeout=0) is None
        heard = hearing.get_message(timeout=10)
        assert heard is not None
        assert heard["type"] == "message"


def test_a_rollback_calls_nobody(committed: None) -> None:
    with hearing_make() as hearing:
        hearing.subscribe(calling.CHANNEL)
        assert hearing.get_message(timeout=10)["type"] == "subscribe"
        with transaction.atomic():
            event_note("node_offline", "fra-1 is offline")
            transaction.set_rollback(True)
        event_note("node_online", "fra-1 is back")
        assert calling.flush()
        assert hearing.get_message(timeout=10) is not None  # that of the second one
        assert hearing.get_message(timeout=0) is None
    assert [event.kind for event in PlatformEvent.objects.all()] == ["node_online"]


def test_a_redis_that_is_away_stops_nobody(
    committed: None, redis_gone: None, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        event_note("node_offline", f"fra-{number} is offline")
    assert calling.flush()
    assert PlatformEvent.objects.count() == 5
    assert [record.message for record in caplog.records if "screens look" in record.message] == [
        "redis is away (ConnectionError): screens look by themselves"
    ]


def test_payments_are_told_as_they_happen() -> None:
    payment = paid(timedelta(0))
    receivers.on_completed(payment=payment)
    receivers.on_refunded(payment=payment)
    receivers.on_failed(payment=payment, reason="expired")
    payment.failure = "declined"
    receivers.on_failed(payment=payment, reason="refused")
    events = list(PlatformEvent.objects.order_by("pk"))
    assert [(event.kind, event.severity) for event in events] == [
        ("payment_completed", "info"),
        ("payment_refunded", "warning"),
        ("payment_failed", "warning"),
    ]
    assert events[0].title == "Paid: Standard, 1 month, 5 USDT"
    assert events[0].link == f"/admin/payments/payment/{payment.pk}/change/"
    assert "did not fit" in events[2].title
    for signal in (payment_completed, payment_failed, payment_refunded):
        assert any("dashboard." in str(key) for key, *_ in signal.receivers)
