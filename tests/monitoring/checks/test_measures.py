"""What each rule measures, out of real rows."""

import base64
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from jobs import sql
from jobs.models import JobStat, ScheduleEntry, Worker
from jobs.registry import kind_get
from lib import clock
from monitoring.checks.models import ServiceCheck
from monitoring.checks.rules.money import paid_not_served, payment_failures
from monitoring.checks.rules.rule import Unmeasurable
from monitoring.checks.rules.servers import node_offline, panel_token
from monitoring.checks.rules.stores import (
    blocked_sessions,
    disk_space,
    long_transaction,
    postgres_connections,
    redis_memory,
)
from monitoring.checks.rules.work import (
    error_rate,
    queue_depth,
    schedule_overdue,
    worker_memory,
)
from monitoring.nodes.models import Node
from payments.models import Payment, State
from subscriptions.models import AccessGap
from tests.monitoring.checks.conftest import Disk

MINUTE = timedelta(minutes=1)


def stat(event: str, count: int, kind: str = "tests.kind", ago: int = 0) -> None:
    """So many tries of a kind, by the clock of the database."""
    at = sql.rows(
        "SELECT date_trunc('minute', clock_timestamp()) - %s * interval '1 minute'", [ago]
    )[0][0]
    JobStat.objects.create(at=at, kind=kind, queue="default", event=event, count=count)


def test_the_error_rate_is_the_share_of_tries_that_failed() -> None:
    stat("completed", 180)
    stat("retried", 10)
    stat("dead", 5, kind="tests.other")
    stat("crashed", 5, kind="tests.other")
    stat("snoozed", 1000)
    stat("enqueued", 1000)
    reading = error_rate()
    assert reading.value == 10
    assert [part.key for part in reading.parts] == ["jobs"]
    assert "20 of 200" in reading.text
    assert "tests.kind 10 of 190" in reading.text


def test_few_runs_and_old_ones_tell_nothing_of_errors() -> None:
    stat("dead", 49)
    stat("completed", 1000, ago=17)
    reading = error_rate()
    assert reading.value is None
    assert reading.text == "49 runs in 15 minutes; fewer than 50 tell nothing"
    assert reading.hints == {"jobs": 100}


def test_the_depth_of_a_queue_counts_what_is_due() -> None:
    noop = kind_get("jobs.noop")
    for _ in range(3):
        noop.enqueue()
    noop.enqueue(delay="1h")
    reading = queue_depth()
    assert reading.value == 3
    worst = max(reading.parts, key=lambda part: part.value)
    assert worst.title == "3 due jobs wait in the queue default"
    assert "1 are due later" in worst.text
    assert worst.link == "/admin/jobs/queue/#queue-default"


def worker(name: str, megabytes: int, **changes: object) -> None:
    now = clock.now()
    fields = {"host": "h", "started_at": now, "beat_at": now, **changes}
    Worker.objects.create(id=name, rss_bytes=megabytes * 2**20, **fields)


def test_the_memory_of_workers_is_that_of_ours_which_live(settings: Settings) -> None:
    settings.WORKER_MEMORY_LIMIT = 512 * 2**20
    worker("a", 128)
    worker("b", 448)
    worker("stopped", 500, stopped_at=clock.now())
    worker("silent", 500, beat_at=clock.now() - 5 * MINUTE)
    worker("outside", 500, is_external=True)
    reading = worker_memory()
    assert {part.key: part.value for part in reading.parts} == {"a": 25, "b": 87.5}
    assert reading.value == 87.5
    assert reading.text == "The worker b uses 448 of 512 MB"


def test_without_workers_there_is_no_memory() -> None:
    assert worker_memory().value is None


def test_a_schedule_is_overdue_when_nobody_fires_it(calm: None) -> None:
    assert schedule_overdue().value == 0
    entry = ScheduleEntry.objects.select_related("schedule").get(name="monitoring.check_nodes")
    entry.schedule.next_run = clock.now() - 10 * MINUTE
    entry.schedule.save()
    reading = schedule_overdue()
    assert reading.value == pytest.approx(600, abs=60)
    assert "monitoring.check_nodes" in reading.parts[0].title
    ScheduleEntry.objects.filter(pk=entry.pk).update(paused_at=clock.now())
    assert schedule_overdue().value == 0


def payment(number: int, *, failure: str = "", ago: timedelta = MINUTE) -> None:
    at = clock.now() - ago
    ended = (
        {"state": State.FAILED, "failed_at": at, "failure": failure}
        if failure
        else {"state": State.COMPLETED, "completed_at": at, "paid_at": at}
    )
    Payment.objects.create(
        external_id=str(number), plan_code="p", plan_title="P", period_days=30,
        currency_type="crypto", currency="USDT", amount=Decimal(5), **ended,
    )  # fmt: skip


def test_payments_that_nobody_paid_are_no_failures(settings: Settings) -> None:
    for number in range(18):
        payment(number)
    payment(20, failure="refused")
    payment(21, failure="no_invoice")
    for number in range(30, 50):
        payment(number, failure="expired")
    payment(60, failure="refused", ago=timedelta(hours=7))
    reading = payment_failures()
    assert reading.value == 10
    assert "2 of 20 failed" in reading.text
    assert "20 more were not paid" in reading.text
    assert "no_invoice 1, refused 1" in reading.text
    settings.RULE_PAYMENT_FAILURES_UNPAID = True
    assert payment_failures().value == 55


def test_few_payments_tell_nothing_of_failures() -> None:
    for number in range(9):
        payment(number, failure="refused")
    assert (payment_failures().value, payment_failures().hints) == (None, {"payments": 100})


def test_people_who_paid_and_are_not_served_are_counted() -> None:
    assert paid_not_served().value == 0
    for number, kind in enumerate(("waiting", "failed", "held")):
        payment(number)
        AccessGap.objects.create(
            payment=Payment.objects.get(external_id=str(number)),
            kind=kind,
            found_at=clock.now() - 10 * MINUTE,
            seen_at=clock.now(),
        )
    reading = paid_not_served()
    assert reading.value == 2
    assert reading.text == "failed 1, waiting 1; the oldest for 10 min"


def node(
    name: str, *, health: str = "online", since: timedelta = MINUTE, **changes: object
) -> UUID:
    now = clock.now()
    made = Node.objects.create(
        uuid=uuid4(), name=name, address="a", country_code="NL", health=health,
        health_since=now - since, seen_health=health, seen_since=now - since,
        **{"checked_at": now, **changes},
    )  # fmt: skip
    return made.uuid


@pytest.fixture
def with_panel(settings: Settings) -> Settings:
    settings.REMNAWAVE_URL = "https://panel.example"
    return settings


def test_servers_that_are_offline_have_a_part_each(with_panel: Settings) -> None:
    longest = node("fra-1", health="offline", since=10 * MINUTE)
    node("ams-1", health="offline", since=2 * MINUTE)
    node("lon-1")
    node("par-1", health="maintenance", since=50 * MINUTE)
    node("old-1", health="offline", since=50 * MINUTE, removed_at=clock.now())
    node("rig-1", health="offline", since=50 * MINUTE, flapping_since=clock.now())
    reading = node_offline()
    assert reading.value == pytest.approx(600, abs=30)
    assert reading.text == "2 of 3 are offline"
    assert reading.parts[0].key == str(longest)
    assert reading.parts[0].title.startswith("Server fra-1 is offline for 10 min")


def test_nobody_is_called_offline_while_nobody_looks(with_panel: Settings) -> None:
    node("fra-1", health="offline", since=50 * MINUTE, checked_at=clock.now() - 20 * MINUTE)
    with pytest.raises(Unmeasurable, match="last looked at"):
        node_offline()


def test_without_a_panel_or_servers_none_is_offline(settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    assert node_offline().text == "there is no panel"
    settings.REMNAWAVE_URL = "https://panel.example"
    assert node_offline().text == "no servers are known"


def token(ends_at: datetime) -> str:
    claims = base64.urlsafe_b64encode(orjson.dumps({"exp": ends_at.timestamp()})).decode()
    return f"head.{claims.rstrip('=')}.sign"


def test_the_token_of_the_panel_says_its_end(with_panel: Settings) -> None:
    with_panel.REMNAWAVE_API_TOKEN = token(clock.now() + timedelta(days=3))
    assert panel_token().value == pytest.approx(3, abs=0.01)
    with_panel.REMNAWAVE_API_TOKEN = token(clock.now() - timedelta(days=3))
    reading = panel_token()
    assert (reading.value, reading.parts[0].title) == (0, "The token of the panel has ended")
    with_panel.REMNAWAVE_API_TOKEN = "without-an-end"
    assert panel_token().value is None


def seen(name: str, *, ago: timedelta = MINUTE, state: str = "up", **facts: object) -> None:
    at = clock.now() - ago
    ServiceCheck.objects.create(
        name=name, state=state, since=at, checked_at=at, ok_at=at, facts=facts,
        failures=0 if state == "up" else 3,
    )  # fmt: skip


def test_the_connections_of_postgres_are_those_of_its_last_look() -> None:
    with pytest.raises(Unmeasurable):
        postgres_connections()
    seen("postgres", connections=85, connections_most=100)
    reading = postgres_connections()
    assert (reading.value, reading.text) == (85, "85 of 100 connections")


@pytest.mark.parametrize("facts", [{"ago": timedelta(hours=1)}, {"state": "down"}, {}])
def test_facts_that_are_old_or_missing_tell_nothing(facts: dict[str, object]) -> None:
    seen("postgres", **facts)  # type: ignore[arg-type]
    with pytest.raises(Unmeasurable):
        postgres_connections()


def test_the_memory_of_redis_needs_a_limit() -> None:
    seen("redis", memory_bytes=95, memory_most_bytes=100, evicted=3)
    assert redis_memory().value == 95
    ServiceCheck.objects.update(facts={"memory_bytes": 95, "memory_most_bytes": 0})
    assert redis_memory().text == "Redis has no limit (maxmemory)"
    ServiceCheck.objects.update(facts={})
    with pytest.raises(Unmeasurable):
        redis_memory()


def test_free_space_is_that_of_the_data_directory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.DISK_WATCHED = tmp_path
    reading = disk_space()
    assert reading.value is not None
    assert 0 <= reading.value <= 100
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(2**40, 2**40 - 2**36, 2**36))
    assert disk_space().text == "64.0 of 1,024.0 GB are free"
    assert disk_space().value == 6.25


def test_a_data_directory_that_is_gone_cannot_be_measured(
    settings: Settings, tmp_path: Path
) -> None:
    settings.DISK_WATCHED = tmp_path / "gone"
    with pytest.raises(Unmeasurable, match="No such file"):
        disk_space()


@pytest.fixture
def second() -> Callable[[], "psycopg.Connection[tuple[object, ...]]"]:
    """Another session at the same database."""
    return lambda: psycopg.connect(**connection.get_connection_params())


def test_an_open_transaction_is_seen_with_its_age(
    second: Callable[[], "psycopg.Connection[tuple[object, ...]]"],
) -> None:
    with second() as door:
        door.execute("SET application_name = 'forgotten'")
        door.execute("SELECT 1")
        reading = long_transaction()
        assert reading.value is not None
        assert reading.value >= 0
        assert "idle in transaction" in reading.text


def test_a_session_that_waits_for_a_lock_is_seen_with_whom_it_waits_for(
    second: Callable[[], "psycopg.Connection[tuple[object, ...]]"],
) -> None:
    assert blocked_sessions().value == 0
    with second() as holder, second() as waiter:
        pid = holder.info.backend_pid
        holder.execute("LOCK TABLE rule_sample IN ACCESS EXCLUSIVE MODE")
        waiter.execute("SELECT 1")
        waiter.pgconn.send_query(b"LOCK TABLE rule_sample IN ACCESS SHARE MODE")
        while not (found := blocked_sessions()).parts:
            pass
        assert f"held up by process {pid}" in found.text
        assert found.value is not None
        assert found.value >= 0
        holder.rollback()
        while waiter.pgconn.get_result() is not None:
            pass
        waiter.rollback()
