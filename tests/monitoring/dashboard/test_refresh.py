"""Taking the picture: what is in it, where it is kept, and what it costs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
import redis
from django.conf import settings as active
from pytest_django import DjangoAssertNumQueries

from jobs.models import Breaker, Priority
from jobs.registry import kind_get
from jobs.testing import job_perform
from lib import clock
from monitoring.checks.models import ServiceCheck
from monitoring.dashboard.events import event_note
from monitoring.dashboard.models import PlatformEvent, Point, Snapshot
from monitoring.dashboard.picture.charts import charts
from monitoring.dashboard.picture.money import money
from monitoring.dashboard.picture.people import people
from monitoring.dashboard.picture.servers import servers
from monitoring.dashboard.picture.services import services
from monitoring.dashboard.picture.take import picture_take
from monitoring.dashboard.picture.trouble import trouble
from monitoring.dashboard.reading import snapshot_read, snapshot_row
from monitoring.dashboard.refreshing import KEY, snapshot_refresh
from monitoring.nodes.models import Health
from subscriptions.models import SubscriberCount
from tests.monitoring.dashboard.rows import alert_make, node_make, paid

PARTS = {
    "taken_at", "people", "servers", "work", "money", "lane", "services", "panel", "charts",
}  # fmt: skip


def count_make(online: int, ago: timedelta = timedelta(0)) -> SubscriberCount:
    return SubscriberCount.objects.create(
        at=clock.now() - ago, total=100, active=70, disabled=5, limited=5, expired=20,
        online=online, source="mirror",
    )  # fmt: skip


def test_the_job_is_declared_as_the_contract_says() -> None:
    kind = kind_get("monitoring.refresh_dashboard")
    assert kind.periodic is not None
    assert kind.periodic.every == timedelta(seconds=30)
    assert (kind.single, kind.priority) == (True, Priority.HIGH)


def test_a_run_writes_the_row_and_a_point() -> None:
    count_make(42)
    job_perform("monitoring.refresh_dashboard")
    kept = Snapshot.objects.get()
    assert set(kept.picture) == PARTS
    assert kept.picture["people"]["online"] == 42
    assert kept.picture["panel"] is None  # REMNAWAVE_URL is not set
    point = Point.objects.get()
    assert (point.at, point.users_online) == (kept.taken_at, 42)
    with clock.shift(timedelta(seconds=30)):
        job_perform("monitoring.refresh_dashboard")
    again = Snapshot.objects.get()
    assert again.taken_at > kept.taken_at
    assert again.picture["charts"]["hour"]["users"] == [42, 42]


def test_readers_have_it_from_redis_while_that_is_fresh(clean_redis: None, committed: None) -> None:
    with redis.Redis.from_url(active.REDIS_URL) as store:
        snapshot_refresh()
        copied = store.get(KEY)
        assert isinstance(copied, bytes)
        assert set(orjson.loads(copied)) == PARTS
        assert snapshot_read() == snapshot_row()
        Snapshot.objects.update(picture={**(snapshot_row() or {}), "mark": "of the row"})
        assert "mark" not in (snapshot_read() or {})
        with clock.shift(timedelta(minutes=1)):
            assert (snapshot_read() or {})["mark"] == "of the row"
        store.set(KEY, b"{broken")
        assert (snapshot_read() or {})["mark"] == "of the row"
        store.delete(KEY)
        assert (snapshot_read() or {})["mark"] == "of the row"


def test_without_redis_it_is_written_and_read_all_the_same(
    committed: None, redis_gone: None
) -> None:
    snapshot_refresh()
    found = snapshot_read()
    assert found is not None
    assert set(found) == PARTS


def test_before_the_first_run_there_is_none(redis_gone: None) -> None:
    assert snapshot_read() is None


def test_the_number_of_queries_does_not_grow(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(30):
        node_make(f"node-{number}")
        alert_make(title=f"{number}")
        paid(timedelta(minutes=number))
        event_note("node_offline", f"{number}")
    with django_assert_max_num_queries(32):
        snapshot_refresh()


def test_old_events_and_points_are_forgotten() -> None:
    event_note("node_offline", "old")
    PlatformEvent.objects.update(at=clock.now() - timedelta(days=8))
    event_note("node_online", "new")
    Point.objects.create(at=clock.now() - timedelta(hours=26))
    assert snapshot_refresh()["forgotten"] == 2
    assert [event.title for event in PlatformEvent.objects.all()] == ["new"]
    assert Point.objects.count() == 1


def test_who_is_online_is_unknown_when_the_last_count_is_old() -> None:
    assert people(None)["online"] is None
    count_make(7, timedelta(minutes=40))
    assert people(None)["online"] is None
    count_make(9, timedelta(minutes=5))
    assert (people(None)["online"], people(None)["source"]) == (9, "count")


def test_servers_are_counted_by_health_the_worst_first() -> None:
    node_make("ams-1")
    node_make("ams-2", health=Health.OFFLINE)
    node_make("ams-3", health=Health.MAINTENANCE)
    node_make("gone", removed_at=clock.now())
    found = servers()
    assert found["counts"] == {"online": 1, "offline": 1, "warning": 0, "maintenance": 1}
    assert (found["total"], found["users"]) == (3, 40)
    assert [item["name"] for item in found["items"]] == ["ams-2", "ams-1", "ams-3"]


def test_what_nobody_has_looked_at_for_long_says_nothing_of_now() -> None:
    node_make("ams-1", checked_at=clock.now() - timedelta(minutes=11))
    found = servers()
    assert (found["users"], found["bytes_per_s"]) == (0, None)


def test_a_service_is_as_its_check_says_unless_its_breaker_is_open() -> None:
    now = clock.now()
    for name, state, failures in (("redis", "up", 0), ("telegram", "up", 0), ("panel", "off", 0)):
        ServiceCheck.objects.create(
            name=name, state=state, since=now, checked_at=now, failures=failures, latency_ms=3.5
        )
    Breaker.objects.create(name="telegram", state="open", last_error="x\nTimeout", changed_at=now)
    Breaker.objects.create(name="courier", state="half_open")
    found = services()
    assert [(line["name"], line["state"]) for line in found] == [
        ("telegram", "down"), ("courier", "failing"), ("redis", "up"),
    ]  # fmt: skip
    assert found[0]["text"] == "its breaker is open: Timeout"
    assert found[2]["latency_ms"] == 3.5


def test_money_is_that_of_the_last_hour_and_of_each_hour_of_a_day() -> None:
    paid(timedelta(minutes=10))
    paid(timedelta(minutes=59), amount=Decimal("0.5"))
    paid(timedelta(minutes=1), currency="EUR", amount=Decimal(3))
    paid(timedelta(minutes=61))
    paid(timedelta(hours=23, minutes=30))
    paid(timedelta(hours=25))
    found = money()
    assert found["count"] == 3
    assert found["amounts"] == [
        {"currency": "USDT", "amount": "5.5", "count": 2},
        {"currency": "EUR", "amount": "3", "count": 1},
    ]
    hours = found["hours"]
    assert hours["currency"] == "USDT"
    assert (hours["amounts"][-1], hours["amounts"][-2], hours["amounts"][0]) == ("5.5", "5", "5")
    assert sum(hours["counts"]) == 4


def test_no_money_is_no_currency() -> None:
    found = money()
    assert (found["count"], found["amounts"], found["hours"]["currency"]) == (0, [], "")


def test_alerts_that_another_one_explains_are_not_shown() -> None:
    cause = alert_make("panel_unreachable", severity="warning")
    alert_make(parent=cause)
    alert_make("queue_depth", severity="info")
    alert_make("worker_memory", resolved_at=clock.now())
    acked = alert_make(acked_at=clock.now(), acked_by="olga")
    found = trouble()
    assert (found["open"], found["critical"], found["warning"], found["info"]) == (3, 1, 1, 1)
    assert [item["rule"] for item in found["items"]] == [
        "node_offline", "panel_unreachable", "queue_depth",
    ]  # fmt: skip
    assert found["items"][0]["acked_by"] == acked.acked_by
    assert found["items"][0]["runbook"] == "/admin/runbook/node_offline/"
    type(cause).objects.filter(pk=cause.pk).update(resolved_at=clock.now())
    assert trouble()["critical"] == 2  # nothing explains it any more


def test_a_line_is_the_mean_of_each_part_and_knows_what_nobody_knew() -> None:
    now = clock.now().replace(minute=40, second=0, microsecond=0)
    Point.objects.create(at=now - timedelta(minutes=61), users_online=1)
    Point.objects.create(at=now - timedelta(minutes=30), users_online=10, jobs_per_s=1.5)
    Point.objects.create(at=now, users_online=None, jobs_per_s=2.5)
    line: dict[str, Any] = charts(now)["hour"]
    assert line["users"] == [10, None]
    assert line["jobs_per_s"] == [1.5, 2.5]
    assert line["at"] == [int((now - timedelta(minutes=30)).timestamp()), int(now.timestamp())]
    day = charts(now)["day"]
    assert day["users"] == [1, 10, None]
    assert day["every_s"] == 600


def test_two_pictures_of_one_moment_leave_one_point() -> None:
    now = clock.now()
    picture_take(None, now)
    picture_take(None, now)
    assert Point.objects.count() == 1


@pytest.mark.parametrize("queue", ["default"])
def test_work_names_the_queues(queue: str) -> None:
    picture = picture_take(None, clock.now())
    assert queue in [line["name"] for line in picture["work"]["queues"]]
    assert picture["work"]["due"] == 0
