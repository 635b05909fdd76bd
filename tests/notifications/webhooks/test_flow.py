from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from lib.ids import uuid7
from notifications.webhooks.answers import Verdict
from notifications.webhooks.flow import BREAKS_AFTER, Config, Due, Fate, Flow, Standing
from notifications.webhooks.wire import Reply

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

DOWN = Verdict("failed", "answered 500", is_down=True)
DELIVERED = Verdict("delivered")


def known() -> Standing:
    """Of an endpoint that answered lately."""
    return Standing(last_success_at=NOW)


def flow_make(standing: Standing | None = None, *, waiting: int = 20, **changes: int) -> Flow:
    settings = {"rate_per_minute": None, "max_in_flight": 8, "timeout_s": 15, **changes}
    config = Config(uuid7(), "https://shop.example", ("whsec_",), **settings)  # type: ignore[arg-type]
    flow = Flow(config, standing or Standing())
    flow.waiting.extend(Due(number, uuid7(), "{}", 0, 0) for number in range(waiting))
    return flow


def launched(flow: Flow, now: datetime = NOW, *, monotonic: float = 0, scarce: bool = False) -> int:
    count = 0
    while flow.launch(now, monotonic, is_scarce=scarce) is not None:
        count += 1
    return count


def settle(flow: Flow, verdict: Verdict, now: datetime = NOW, status: int | None = None) -> Fate:
    due = flow.launch(now, 0, is_scarce=False)
    assert due is not None
    reply = Reply(status, duration_s=0.01)
    return flow.settle(due, reply, verdict, began=now, now=now)


def test_an_endpoint_that_nobody_knows_gets_one_request_then_more() -> None:
    flow = flow_make()
    assert launched(flow) == 1
    flow.in_flight.clear()
    settle(flow, DELIVERED)
    assert launched(flow) == 2


def test_the_window_never_grows_beyond_what_the_endpoint_allows() -> None:
    flow = flow_make(waiting=50, max_in_flight=3)
    for _ in range(10):
        settle(flow, DELIVERED)
    assert launched(flow) == 3


def test_a_failure_takes_the_window_back_to_one() -> None:
    flow = flow_make(known())
    settle(flow, DOWN)
    assert launched(flow) == 1


def test_a_slow_endpoint_gets_few_threads_while_they_are_scarce() -> None:
    flow = flow_make(known())
    assert flow.launch(NOW, 0, is_scarce=False) is not None
    assert launched(flow, monotonic=10, scarce=True) == 1, "two are in flight now"
    assert launched(flow, monotonic=10, scarce=False) == 2


def test_the_breaker_opens_once_for_requests_that_failed_together() -> None:
    flow = flow_make(known())
    flow.window = 8
    flights = [flow.launch(NOW, 0, is_scarce=False) for _ in range(8)]
    for due in flights:
        assert due is not None
        flow.settle(due, Reply(500), DOWN, began=NOW, now=NOW)
    assert flow.standing.failures == BREAKS_AFTER
    assert flow.standing.open_until is not None
    assert flow.standing.open_until - NOW < timedelta(seconds=12)
    assert launched(flow) == 0


def test_each_failed_probe_keeps_the_breaker_open_for_longer_up_to_five_minutes() -> None:
    flow, now, waits = flow_make(known(), waiting=40), NOW, []
    for _ in range(BREAKS_AFTER + 8):
        settle(flow, DOWN, now)
        if (until := flow.standing.open_until) is not None:
            waits.append(until - now)
            now = until
    assert waits[0] < waits[1] < waits[2] < waits[3]
    assert timedelta(minutes=4) < waits[-1] < timedelta(minutes=5.6)


def test_a_success_closes_everything_that_failures_opened() -> None:
    flow = flow_make(
        Standing(failures=9, failing_since=NOW - timedelta(days=3), warned=50, last_error="x")
    )
    settle(flow, DELIVERED)
    standing = flow.standing
    assert (standing.failures, standing.failing_since, standing.warned) == (0, None, 0)
    assert (standing.last_error, standing.last_success_at) == ("", NOW)


@pytest.mark.parametrize(
    ("days", "warned", "announced"),
    [
        (2.4, 0, 0), (2.6, 0, 50), (2.6, 50, 0), (3.6, 50, 70), (3.6, 0, 70), (4.6, 70, 90),
        (4.6, 90, 0),
    ],
)  # fmt: skip
def test_people_are_warned_once_at_half_at_70_and_at_90_per_cent(
    days: float, warned: int, announced: int
) -> None:
    flow = flow_make(Standing(failing_since=NOW - timedelta(days=days), warned=warned))
    settle(flow, DOWN)
    assert (flow.warn, flow.end) == (announced, "")


def test_after_five_days_of_failure_it_is_over() -> None:
    flow = flow_make(Standing(failing_since=NOW - timedelta(days=5, seconds=1), warned=90))
    settle(flow, Verdict("failed", "answered 404"))
    assert flow.end == "failing"
    assert launched(flow) == 0


def test_being_asked_to_wait_for_days_is_failing_too() -> None:
    flow = flow_make(Standing(failing_since=NOW - timedelta(days=6)))
    settle(flow, Verdict("throttled", "429", timedelta(seconds=5)))
    assert flow.end == "failing"


def test_the_throttle_spaces_requests_evenly() -> None:
    flow = flow_make(known(), rate_per_minute=6)  # one in ten seconds
    assert launched(flow) == 1
    flow.in_flight.clear()
    assert launched(flow, NOW + timedelta(seconds=9.9)) == 0
    assert launched(flow, NOW + timedelta(seconds=10)) == 1


def test_a_fast_throttle_may_be_ahead_by_what_a_run_needs_between_two_looks() -> None:
    flow = flow_make(
        known(), waiting=500, rate_per_minute=6000, max_in_flight=64
    )  # 100 in a second
    flow.window = 64
    sent = 0
    for step in range(21):  # two seconds
        sent += launched(flow, NOW + timedelta(seconds=step / 10))
        flow.in_flight.clear()
    assert 200 <= sent <= 222


def test_the_ladder_is_climbed_with_jitter_until_it_ends(settings: Settings) -> None:
    settings.WEBHOOK_RETRY_DELAYS = (timedelta(seconds=100), timedelta(seconds=1000))
    for tries, least, most in [(0, 90, 110), (1, 900, 1100)]:
        flow = flow_make(waiting=0)
        flow.waiting.append(Due(1, uuid7(), "{}", tries, tries))
        fate = settle(flow, DOWN)
        assert (fate.state, fate.spent) == ("pending", 1)
        assert least <= (fate.next_attempt_at - NOW).total_seconds() <= most
    flow = flow_make(waiting=0)
    flow.waiting.append(Due(1, uuid7(), "{}", 2, 2))
    assert settle(flow, DOWN).state == "failed"


def test_a_lane_fetches_more_for_a_fast_endpoint_than_for_a_slow_one() -> None:
    fast, slow = flow_make(known(), waiting=0), flow_make(known(), waiting=0)
    fast.mean_s, slow.mean_s = 0.005, 5.0
    assert fast.wants(NOW) == 64
    assert slow.wants(NOW) == 8


def test_nothing_is_fetched_while_nothing_may_be_sent() -> None:
    assert flow_make(Standing(open_until=NOW + timedelta(1)), waiting=0).wants(NOW) == 0
    assert flow_make(Standing(paused_until=NOW + timedelta(1)), waiting=0).wants(NOW) == 0
    assert flow_make(Standing(open_until=NOW), waiting=0).wants(NOW) == 2
