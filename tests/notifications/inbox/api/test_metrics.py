"""The counters of the inbox at /metrics, under the names of the source."""

from uuid import UUID

from django.test import Client

from notifications.inbox.metrics import COUNTERS
from notifications.inbox.models import Recipient
from notifications.inbox.reading import read_many
from notifications.inbox.stats import count, fold
from tests.notifications.inbox.api.server import Caller


def scraped() -> dict[str, float]:
    """The samples of the inbox."""
    text = Client().get("/metrics").content.decode()
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in samples if name.startswith("notifications_")}


def test_every_counter_is_there_from_the_beginning(db: None) -> None:
    assert scraped() == {f"{name}_total": 0.0 for name in COUNTERS}
    for name in ("sent", "acked", "auto_cleared"):
        assert f"notifications_{name}_total" in scraped()


def test_what_is_sent_and_read_is_counted(api: Caller) -> None:
    people = [{"id": 1, "login": "alice"}, {"id": 2, "login": "bob"}]
    reply = api.notify({"target": people, "message": "Hello", "source": "shop"})
    first = UUID(reply.body["results"][0]["notification_id"])
    alice = Recipient.objects.get(login="alice")
    for _ in range(2):
        read_many([(alice.pk, first)])

    found = scraped()

    assert found["notifications_sent_total"] == 2
    assert found["notifications_acked_total"] == 1


def test_what_jobs_did_is_counted_and_survives_folding(db: None) -> None:
    count("auto_cleared", 3)
    count("auto_cleared")
    before = scraped()["notifications_auto_cleared_total"]
    fold()
    assert before == scraped()["notifications_auto_cleared_total"] == 4
