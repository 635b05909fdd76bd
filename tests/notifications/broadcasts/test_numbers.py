"""What Prometheus reads, what the console's first page says, and what other programs are told."""

import json
from datetime import timedelta

from pytest_django import DjangoAssertNumQueries

from jobs.testing import drain
from lib import clock
from lib.now import Attention, Source
from notifications.broadcasts import attention, metrics
from notifications.broadcasts.models import Broadcast, Status, Tally
from notifications.broadcasts.selectors import progress_of
from notifications.broadcasts.services import broadcast_send_now
from notifications.webhooks.models import Event
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, people_make
from tests.notifications.webhooks.rows import endpoint_make


def numbers() -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in metrics.collect()
        for sample in metric.samples
    }


def waiting(source: Source) -> int:
    found = source()
    assert isinstance(found, Attention)
    return found.count


def sent(people: int = 3) -> Broadcast:
    people_make(people)
    row = broadcast_make()
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    return adds_up(row.pk)


def test_the_metrics_are_those_of_the_tables(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    sent(3)
    broadcast_make(scheduled_at=clock.now() - timedelta(seconds=90))
    Broadcast.objects.create(
        title="x", body="x", audience={}, status=Status.PAUSED, total=5, sent=1, failed=1
    )
    with django_assert_num_queries(2):
        found = numbers()
    assert found["broadcasts", "sent"] == 1
    assert found["broadcasts", "paused"] == 1
    assert found["broadcasts", "cancelled"] == 0
    assert found["broadcast_recipients_total", "sent"] == 4
    assert found["broadcast_recipients_total", "failed"] == 1
    assert found[("broadcast_recipients_waiting",)] == 3
    assert found[("broadcast_late_seconds",)] >= 90


def test_the_first_page_of_the_console_says_what_needs_a_person() -> None:
    assert waiting(attention.paused_by_itself) == waiting(attention.late_broadcasts) == 0
    rows = [sent(), broadcast_make(), broadcast_make()]
    Broadcast.objects.filter(pk=rows[0].pk).update(unknown=1, total=4)
    Broadcast.objects.filter(pk=rows[1].pk).update(
        status="paused", paused_reason="canary: 3 of 10 did not get it (blocked 3)"
    )
    Broadcast.objects.filter(pk=rows[2].pk).update(
        status="scheduled", scheduled_at=clock.now() - timedelta(minutes=5)
    )
    assert waiting(attention.paused_by_itself) == 1
    assert waiting(attention.late_broadcasts) == 1
    assert waiting(attention.unsure_recipients) == 1


def test_a_pause_by_a_person_needs_nobody() -> None:
    row = broadcast_make()
    Broadcast.objects.filter(pk=row.pk).update(status="paused", paused_reason="paused by a person")
    assert waiting(attention.paused_by_itself) == 0


def test_the_end_is_told_to_endpoints_once() -> None:
    endpoint_make(event_types=["broadcast.completed", "broadcast.failed"])
    row = sent(3)
    event = Event.objects.get()
    body = json.loads(event.body)
    assert (event.type, body["type"]) == ("broadcast.completed", "broadcast.completed")
    assert body["data"]["id"] == str(row.pk)
    assert (body["data"]["total"], body["data"]["sent"]) == (3, 3)

    lost = broadcast_make(scheduled_at=clock.now())
    Broadcast.objects.filter(pk=lost.pk).update(audience={"type": "gone"})
    drain()
    assert Event.objects.filter(type="broadcast.failed").count() == 1


def test_progress_costs_two_queries_however_large_the_ledger(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    row = sent(3)
    with django_assert_num_queries(2):
        found = progress_of(row.pk)
    assert (found.total, found.done, found.pending, found.eta_s) == (3, 3, 0, None)


def test_the_rate_is_that_of_the_last_seconds_and_the_rest_takes_as_long() -> None:
    row = broadcast_make()
    Broadcast.objects.filter(pk=row.pk).update(
        status="sending", phase="delivering", total=1000, sent=400, rate=50.0, rate_at=clock.now()
    )
    Tally.objects.create(broadcast=row, channel="inbox", fate="sent", count=400)
    found = progress_of(row.pk)
    assert (found.rate_per_s, found.eta_s) == (50.0, 12.0)
    with clock.shift(timedelta(minutes=1)):
        found = progress_of(row.pk)
    assert (found.rate_per_s, found.eta_s) == (0.0, None)
