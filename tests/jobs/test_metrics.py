"""What Prometheus reads of fences, leases that ran out, limits and wake-ups."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from jobs import metrics, rates, stats
from jobs.lease import leases_reap
from jobs.models import Job, JobStat
from jobs.pool.broker import TicketBroker
from jobs.pool.exposition import PoolCollector
from jobs.pool.memory import PoolMemory
from jobs.registry import JobKind, Rate
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work

pytestmark = pytest.mark.django_db

ANOTHER = timedelta(minutes=1)


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def scraped(family: str) -> dict[tuple[str, ...], float]:
    """{values of the labels: number} of a family, once what is counted so far is written."""
    stats.flush()
    return {
        tuple(sample.labels.values()): sample.value
        for metric in metrics.collect()
        if metric.name == family
        for sample in metric.samples
    }


def test_families_stand_there_before_anything_was_counted() -> None:
    names = {metric.name for metric in metrics.collect()}
    assert {"fenced", "leases_expired", "rate_limited"} <= names
    assert scraped("fenced") == scraped("leases_expired") == scraped("rate_limited") == {}


def test_what_is_no_end_of_an_attempt_is_none(kind: JobKind[Any]) -> None:
    for count in (stats.fenced, stats.rate_limited):
        count(kind.name, kind.queue)
    stats.expired([(kind.name, kind.queue)])
    stats.throttled("panel")
    assert scraped("jobs_attempts") == scraped("jobs_finished") == {}


def test_a_lease_that_ran_out_is_seen_once(kind: JobKind[Any]) -> None:
    for n in range(2):
        kind.enqueue(n=n)
    play.lapse(*play.lease())
    for _ in range(3):
        leases_reap()
    assert scraped("leases_expired") == {(kind.name, kind.queue): 2}
    assert scraped("jobs_attempts") == {(kind.name, kind.queue, "crashed"): 2}


def test_jobs_put_off_by_the_rate_of_their_kind_are_seen(declare: Declare, work: Work) -> None:
    kind = declare(rate=Rate(1, "1h"))
    for n in range(3):
        kind.enqueue(n=n)
    work()
    assert scraped("rate_limited") == {(kind.name, "rate"): 2}


def test_the_pace_of_who_waits_all_the_time_is_no_limit_that_was_hit() -> None:
    """A bucket that is no kind's, and one of a kind that vanished."""
    for name in ("telegram", "kind:tests.vanished"):
        rate = Rate(1, "1h")
        assert rates.take(name, rate) is None
        assert rates.take(name, rate) is not None
    assert scraped("rate_limited") == {}


def test_a_service_that_asks_to_wait_is_seen_and_our_own_rest_is_not() -> None:
    rates.pause("panel", ANOTHER)
    rates.pause("panel", ANOTHER)
    rates.pause("telegram", ANOTHER, is_asked=False)
    assert scraped("rate_limited") == {("panel", "service"): 2}


def test_numbers_stand_while_the_counts_are_folded(kind: JobKind[Any]) -> None:
    for _ in range(3):
        stats.fenced(kind.name, kind.queue)
        stats.flush()
    JobStat.objects.update(at=clock.now() - timedelta(days=20))
    stats.fold()
    assert JobStat.objects.count() == 1
    assert scraped("fenced") == {(kind.name, kind.queue): 3}


def test_every_number_is_explained() -> None:
    told = (settings.BASE_DIR / "docs" / "telemetry.md").read_text()
    families = [*metrics.collect(), *PoolCollector(PoolMemory(1)).collect()]
    assert len(families) > 20
    for metric in families:
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        assert f"`{name}`" in told or f"`{name}{{" in told, name


class Calls:
    """A waker that calls so often, and then keeps silent."""

    def __init__(self, count: int) -> None:
        self.left = count

    def wait(self, timeout_s: float) -> set[str] | None:
        self.left -= 1
        return set() if self.left >= 0 else None

    def close(self) -> None: ...


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, int]]:
    """Call a pusher that sees no due job: called(workers, busy=...). Returns (calls, skipped)."""

    def call(*, busy: int) -> tuple[int, int]:
        pool = PoolMemory(1)
        slot = pool.slot(0)
        slot.pid, slot.beat, slot.busy = 4711, 1.0, busy
        broker = TicketBroker()
        broker._handed_at = float("inf")  # no ticket that only probes
        broker._wait(pool, Calls(1))
        return pool.calls

    return call


def test_a_call_that_wakes_a_worker_is_counted(called: Callable[..., tuple[int, int]]) -> None:
    assert called(busy=0) == (1, 0)


def test_a_call_while_all_are_awake_is_skipped(called: Callable[..., tuple[int, int]]) -> None:
    assert not Job.objects.exists()
    assert called(busy=1) == (1, 1)


def test_the_pool_tells_its_calls() -> None:
    pool = PoolMemory(1)
    pool.count_call(is_skipped=False)
    pool.count_call(is_skipped=True)
    found = {
        sample.name: sample.value
        for metric in PoolCollector(pool).collect()
        for sample in metric.samples
        if sample.name.startswith("wakeups")
    }
    assert found == {"wakeups_total": 2, "wakeups_skipped_total": 1}
