"""What the panel does by itself while the clock moves: expiry, limits, resets, notices."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.sweeps import EVENTS_LIMIT, occurrences
from tests.sandbox.remnawave.user import Strategy
from tests.sandbox_tests.receiver import Receiver

DAY_S = 86_400.0
GIB = 1 << 30
SECRET = "SampleSecretSampleSecretSampleSecret0000"


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """Hears all events of a fresh panel but those of making users."""
    with Receiver() as server:
        sandbox.panel.webhooks_to(server.url, SECRET, muted=["user.created"])
        yield server


def move_to(sandbox: Sandbox, text: str) -> None:
    """Let the clock show a moment."""
    wanted = datetime.fromisoformat(text).timestamp()
    sandbox.clock_set(wanted - datetime.now(UTC).timestamp())


def test_whoever_is_past_his_time_expires_with_the_next_sweep(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    active = sandbox.panel.add(expireInSeconds=60)
    limited = sandbox.panel.add(expireInSeconds=60, status="LIMITED")
    disabled = sandbox.panel.add(expireInSeconds=60, status="DISABLED")
    later = sandbox.panel.add(expireInSeconds=600)
    sandbox.clock_advance(91)
    statuses = [sandbox.panel.user(user["id"])["status"] for user in (active, limited)]
    assert statuses == ["EXPIRED", "EXPIRED"]
    assert sandbox.panel.user(disabled["id"])["status"] == "DISABLED"
    assert sandbox.panel.user(later["id"])["status"] == "ACTIVE"
    sandbox.wait_for(lambda: len(receiver.arrivals) == 2)
    assert receiver.events() == ["user.expired"] * 2
    sandbox.clock_advance(91)
    assert sandbox.panel.stats()["sweeps"]["expired"] == 2


def test_a_sweep_comes_without_anybody_moving_the_clock(sandbox: Sandbox) -> None:
    user = sandbox.panel.add(expireInSeconds=-1)
    sandbox.panel.settings(expiry_every_s=0.05)
    sandbox.wait_for(lambda: sandbox.panel.user(user["id"])["status"] == "EXPIRED")


def test_who_used_up_his_traffic_is_limited_and_his_row_looks_untouched(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    user = sandbox.panel.add(trafficLimitBytes=GIB)
    free = sandbox.panel.add(trafficLimitBytes=0)
    sandbox.panel.use([user["id"], free["id"]], GIB)
    assert sandbox.panel.user(user["id"])["status"] == "ACTIVE"
    assert sandbox.panel.sweep() == {"expired": 0, "limited": 1}
    after = sandbox.panel.user(user["id"])
    assert (after["status"], after["updatedAt"]) == ("LIMITED", user["updatedAt"])
    assert sandbox.panel.user(free["id"])["status"] == "ACTIVE"
    sandbox.wait_for(lambda: "user.limited" in receiver.events())
    assert receiver.events().count("user.first_connected") == 2


def test_ten_thousand_at_once_are_changed_in_silence(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.panel.seed(EVENTS_LIMIT, expires_from_s=50, expires_to_s=60)
    sandbox.clock_advance(120)
    stats = sandbox.panel.stats()
    assert stats["users"]["by_status"]["EXPIRED"] == EVENTS_LIMIT
    assert "user.expired" not in stats["events"]
    assert receiver.arrivals == []


def test_monthly_traffic_is_reset_by_the_panel_and_only_the_limited_hear_of_it(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    move_to(sandbox, "2026-10-31T12:00:00+00:00")
    common = {"expireInSeconds": 90 * DAY_S, "usedTrafficBytes": 9, "trafficLimitBytes": 9}
    monthly = sandbox.panel.add(trafficLimitStrategy="MONTH", **common)
    limited = sandbox.panel.add(trafficLimitStrategy="MONTH", status="LIMITED", **common)
    never = sandbox.panel.add(trafficLimitStrategy="NO_RESET", status="LIMITED", **common)
    sandbox.panel.change(monthly["id"], trafficLimitBytes=100)
    move_to(sandbox, "2026-11-01T00:19:00+00:00")
    assert sandbox.panel.user(monthly["id"])["userTraffic"]["usedTrafficBytes"] == 9
    move_to(sandbox, "2026-11-01T00:21:30+00:00")
    after = sandbox.panel.user(monthly["id"])
    assert after["userTraffic"]["usedTrafficBytes"] == 0
    assert after["lastTrafficResetAt"] == "2026-11-01T00:20:00.000Z"
    assert after["updatedAt"] == monthly["updatedAt"]
    assert sandbox.panel.user(limited["id"])["status"] == "ACTIVE"
    assert sandbox.panel.user(never["id"])["userTraffic"]["usedTrafficBytes"] == 9
    sandbox.wait_for(lambda: receiver.arrivals)
    events = sandbox.panel.stats()["events"]
    assert events["user.enabled"] == 1
    assert "user.traffic_reset" not in events


def test_resets_can_be_switched_off(sandbox: Sandbox) -> None:
    move_to(sandbox, "2026-10-31T12:00:00+00:00")
    sandbox.panel.settings(resets_traffic=False)
    user = sandbox.panel.add(trafficLimitStrategy="DAY", usedTrafficBytes=9)
    move_to(sandbox, "2026-11-02T12:00:00+00:00")
    assert sandbox.panel.user(user["id"])["userTraffic"]["usedTrafficBytes"] == 9


@pytest.mark.unit
@pytest.mark.parametrize(
    ("strategy", "after", "until", "found"),
    [
        (Strategy.DAY, "2026-11-01T12:00", "2026-11-03T12:00", ["2026-11-03T00:00"]),
        (Strategy.WEEK, "2026-11-01T12:00", "2026-11-03T12:00", ["2026-11-02T00:05"]),
        (Strategy.MONTH, "2026-10-01T00:20", "2026-11-01T00:19", []),
        (Strategy.MONTH, "2026-10-01T00:19", "2026-11-01T00:20", ["2026-11-01T00:20"]),
        (Strategy.MONTH, "2025-10-01T00:19", "2026-01-15T00:00", ["2026-01-01T00:20"]),
        (
            Strategy.MONTH_ROLLING,
            "2026-11-01T00:00",
            "2026-11-02T00:10",
            ["2026-11-01T00:10", "2026-11-02T00:10"],
        ),
    ],
)
def test_resets_fall_on_their_minutes(
    strategy: Strategy, after: str, until: str, found: list[str]
) -> None:
    def ms(text: str) -> int:
        return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)

    assert occurrences(strategy, ms(after), ms(until)) == [ms(text) for text in found]


def test_rolling_months_turn_on_the_day_of_creation(sandbox: Sandbox) -> None:
    move_to(sandbox, "2027-02-27T12:00:00+00:00")
    common = {
        "trafficLimitStrategy": "MONTH_ROLLING",
        "usedTrafficBytes": 9,
        "expireInSeconds": 90 * DAY_S,
    }
    last = sandbox.panel.add(createdAt="2027-01-31T10:00:00Z", **common)
    other = sandbox.panel.add(createdAt="2027-01-15T10:00:00Z", **common)
    fresh = sandbox.panel.add(createdAt="2027-02-27T10:00:00Z", **common)
    move_to(sandbox, "2027-02-28T12:00:00+00:00")
    used = [
        sandbox.panel.user(user["id"])["userTraffic"]["usedTrafficBytes"]
        for user in (last, other, fresh)
    ]
    assert used == [0, 9, 9]


def test_thresholds_and_coming_expiry_are_told_once_if_wanted(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.panel.settings(bandwidth_thresholds=[60, 80], expiration_hours=[-24, 24])
    user = sandbox.panel.add(trafficLimitBytes=100, usedTrafficBytes=85, expireInSeconds=25 * 3600)
    for _ in range(2):
        sandbox.clock_advance(3700)
    sandbox.wait_for(lambda: len(receiver.arrivals) == 2)
    found = {arrival.content["event"]: arrival.content for arrival in receiver.arrivals}
    reached = found["user.bandwidth_usage_threshold_reached"]["data"]
    assert reached["lastTriggeredThreshold"] == 80
    assert found["user.expiration"]["meta"] == {"expiration": -24}
    assert found["user.expiration"]["data"]["id"] == user["id"]


def test_older_panels_have_an_event_for_each_hour(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.panel.dialect("2.7")
    sandbox.panel.settings(expiration_hours=[-24])
    sandbox.panel.add(expireInSeconds=24 * 3600 + 60)
    sandbox.clock_advance(180)
    sandbox.wait_for(lambda: receiver.arrivals)
    assert receiver.events() == ["user.expires_in_24_hours"]


def test_a_clock_that_goes_back_does_not_stop_the_sweeps(sandbox: Sandbox) -> None:
    sandbox.clock_advance(365 * DAY_S)
    sandbox.clock_set(0)
    user = sandbox.panel.add(expireInSeconds=10)
    sandbox.clock_advance(41)
    assert sandbox.panel.user(user["id"])["status"] == "EXPIRED"


def test_life_brings_traffic_to_nodes_and_people(sandbox: Sandbox) -> None:
    sandbox.panel.seed(50, expires_from_s=DAY_S)
    sandbox.panel.settings(live_share=1, live_bytes=1000)
    before = sum(user["userTraffic"]["lifetimeUsedTrafficBytes"] for user in sandbox.panel.users())
    sandbox.clock_advance(16)
    after = sum(user["userTraffic"]["lifetimeUsedTrafficBytes"] for user in sandbox.panel.users())
    assert after > before
    assert sandbox.panel.nodes()[0]["usersOnline"] == 50
