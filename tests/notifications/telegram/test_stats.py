"""Counts of what became of messages, and what Prometheus reads of them."""

from datetime import datetime, timedelta

import pytest
from prometheus_client.metrics_core import Metric

from jobs import sql
from lib import clock
from notifications.telegram import lane, metrics, stats
from notifications.telegram.lane import Fate
from notifications.telegram.models import Stat
from notifications.telegram.tasks import forget_keys
from tests.notifications.telegram.rows import OTHER_RUN, RUN, ago, claim_ids, message_make


def told() -> dict[str, Metric]:
    return {family.name: family for family in metrics.collect()}


def value(name: str) -> float:
    (sample,) = told()[name].samples
    return sample.value


def stat_make(kind: str, times: int, at: datetime | None = None, *, status: str = "sent") -> None:
    minute = (at or clock.now()).replace(second=0, microsecond=0)
    Stat.objects.create(at=minute, type=kind, status=status, count=times)


def test_fates_are_counted_by_type_and_status_with_the_rows_that_they_change() -> None:
    kinds = ["payment", "payment", "payment", "reminder", "reminder", "alert"]
    ids = [message_make(100 + n, notification_type=kind).pk for n, kind in enumerate(kinds)]
    assert sorted(claim_ids()) == ids
    fates = [
        Fate(ids[0], "sent", message_id=1),
        Fate(ids[1], "sent", message_id=2),
        Fate(ids[2], "failed", error="forbidden", reason="blocked"),
        Fate(ids[3], "failed", error="HTTP 500", reason="unavailable"),
        Fate(ids[4], "retry", error="HTTP 500", reason="unavailable", wait=timedelta(seconds=30)),
        Fate(ids[5], "wait", error="7 s", reason="rate_limited", wait=timedelta(seconds=7)),
    ]
    assert lane.messages_mark(RUN, fates) == set(ids)
    assert stats.totals() == {
        ("payment", "sent"): 2,
        ("payment", "unreachable"): 1,
        ("reminder", "failed"): 1,
        ("reminder", "retried"): 1,
    }


def test_a_message_that_another_run_took_over_is_not_counted() -> None:
    row = message_make()
    claim_ids(run=OTHER_RUN)
    assert lane.messages_mark(RUN, [Fate(row.pk, "sent", message_id=1)]) == set()
    assert stats.totals() == {}


def test_a_message_past_the_queue_is_counted_too() -> None:
    stats.count("login_code", "sent")
    stats.count("login_code", "sent")
    assert stats.totals() == {("login_code", "sent"): 2}


def test_folding_leaves_the_totals_as_they_are() -> None:
    lately = ago(300)
    hours_ago, weeks_ago = (ago(3600 * hours).replace(minute=30) for hours in (4, 24 * 20))
    for at in (lately, lately, lately, hours_ago, hours_ago, weeks_ago):
        stat_make("payment", 2, at)
    stat_make("payment", 1, lately, status="failed")
    before = stats.totals()
    forget_keys()
    assert stats.totals() == before
    assert Stat.objects.count() == 4  # two statuses lately, one hour, all that is older


def test_types_beyond_the_first_fifty_are_told_together() -> None:
    for number in range(stats.TYPES_TOLD + 3):
        stat_make(f"kind {number}", 1000 - number)
    sums = stats.totals()
    assert len(sums) == stats.TYPES_TOLD + 1
    assert sums["other", "sent"] == sum(1000 - stats.TYPES_TOLD - each for each in range(3))


def test_prometheus_reads_them_with_the_queue_and_its_age() -> None:
    stats.count("payment", "sent")
    message_make(scheduled_at=ago(90))
    samples = [(each.labels, each.value) for each in told()["telegram_messages"].samples]
    assert samples == [({"type": "payment", "status": "sent"}, 1)]
    assert value("telegram_queue_due") == 1
    assert value("telegram_queue_oldest_seconds") == pytest.approx(90, abs=30)
    assert value("telegram_paused_seconds") == 0
    sql.run("INSERT INTO telegram_chat (chat_id, unreachable_since) VALUES (7, now())")
    assert value("telegram_chats_unreachable") == 1


def test_an_empty_queue_is_told_with_zeros() -> None:
    assert value("telegram_queue_due") == value("telegram_queue_oldest_seconds") == 0
    assert told()["telegram_messages"].samples == []
