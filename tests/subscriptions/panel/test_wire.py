"""Reading what the panel sends: nothing is guessed, no secret is kept."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from subscriptions.panel.dialects import Dialect, version_read
from subscriptions.panel.fields import ContractDiffers
from subscriptions.panel.nodes_wire import (
    bandwidth_read,
    node_read,
    nodes_read,
    system_stats_read,
)
from subscriptions.panel.types import NodeState, PanelStatus, TrafficStrategy
from subscriptions.panel.users_wire import (
    fields_write,
    moment_write,
    page_read,
    stream_read,
    user_read,
)
from tests.subscriptions.panel import bodies

pytestmark = pytest.mark.unit


def test_a_user_of_v3_is_read_whole() -> None:
    user = user_read(bodies.user())
    assert (user.id, user.uuid, user.username) == (1042, None, "tg_500100201")
    assert user.status is PanelStatus.ACTIVE
    assert user.expire_at == datetime(2026, 12, 18, 9, 30, tzinfo=UTC)
    assert user.telegram_id == 5001002010001  # more than 32 bits
    assert (user.email, user.tag, user.description) == (None, "PRO", "Plan: PRO 3m")
    assert (user.traffic_limit_bytes, user.traffic_strategy) == (107374182400, "MONTH")
    assert (user.used_bytes, user.lifetime_used_bytes) == (38654705664, 412316860416)
    assert user.last_traffic_reset_at == datetime(2026, 11, 1, 0, 20, 4, 118000, tzinfo=UTC)
    assert user.squads[0].name == "Default-Squad"
    assert user.last_node_uuid == UUID("7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01")


def test_a_user_of_v2_has_its_uuid_too() -> None:
    user = user_read(bodies.user_v2())
    assert (user.id, user.uuid) == (1042, UUID(bodies.UUID_OF_V2))


def test_no_connection_secret_is_kept_and_no_link_is_shown() -> None:
    user = user_read(bodies.user())
    kept = [getattr(user, name) for name in user.__slots__]
    assert not set(bodies.SECRETS) & {str(value) for value in kept}
    assert "k3Vd9XfQmB7tRw2A" not in repr(user)


def _required() -> list[str]:
    secret = {"trojanPassword", "ssPassword", "vlessUuid"}
    return [name for name in bodies.USER if name not in secret]


@pytest.mark.parametrize("name", _required())
def test_a_field_that_is_gone_is_named_and_never_taken_for_empty(name: str) -> None:
    raw = bodies.user()
    del raw[name]
    with pytest.raises(ContractDiffers, match=rf"^user\.{name}"):
        user_read(raw)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "1042"),
        ("id", True),
        ("id", 10.5),
        ("status", "FROZEN"),
        ("status", None),
        ("expireAt", "soon"),
        ("expireAt", None),
        ("telegramId", "@somebody"),
        ("trafficLimitStrategy", "YEAR"),
        ("trafficLimitBytes", None),
        ("activeInternalSquads", {}),
        ("activeInternalSquads", [{"uuid": "no uuid", "name": "x"}]),
        ("userTraffic", None),
        ("userTraffic", {"usedTrafficBytes": 1}),
        ("subscriptionUrl", 7),
        ("uuid", 7),
    ],
)
def test_a_value_of_another_kind_is_named_but_not_shown(name: str, value: Any) -> None:
    with pytest.raises(ContractDiffers, match=rf"^user\.{name}") as caught:
        user_read(bodies.user(**{name: value}))
    assert not isinstance(value, str) or value not in str(caught.value)


def test_a_field_that_a_newer_panel_adds_is_passed_over() -> None:
    assert user_read(bodies.user(loyaltyLevel=3)).id == 1042


@pytest.mark.parametrize("written", ["2026-12-18T12:30:00+03:00", "2026-12-18T09:30:00.000Z"])
def test_a_moment_is_the_same_in_every_zone(written: str) -> None:
    read = user_read(bodies.user(expireAt=written)).expire_at
    assert (read, read.tzinfo) == (datetime(2026, 12, 18, 9, 30, tzinfo=UTC), UTC)


def test_a_page_of_the_stream_ends_where_the_panel_says_so() -> None:
    more = stream_read({"users": [bodies.user()], "nextCursor": "1042", "hasMore": True})
    last = stream_read({"users": [], "nextCursor": "1042", "hasMore": False})
    assert (len(more.users), more.next_cursor, last.next_cursor) == (1, "1042", None)


def test_a_stream_that_goes_on_without_a_cursor_is_no_stream() -> None:
    with pytest.raises(ContractDiffers, match="nextCursor"):
        stream_read({"users": [], "nextCursor": None, "hasMore": True})


def test_a_page_of_v2_knows_its_total() -> None:
    page = page_read({"users": [bodies.user_v2()], "total": 1043})
    assert (page.users[0].id, page.total, page.next_cursor) == (1042, 1043, None)


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ((True, False, True), NodeState.DISABLED),
        ((True, True, False), NodeState.UP),
        ((False, True, False), NodeState.STARTING),
        ((False, False, False), NodeState.DOWN),
    ],
)
def test_the_flags_of_a_node_make_one_state(
    flags: tuple[bool, bool, bool], state: NodeState
) -> None:
    connected, connecting, disabled = flags
    changes = {"isConnected": connected, "isConnecting": connecting, "isDisabled": disabled}
    assert node_read(bodies.NODE | changes).state is state


def test_a_node_of_every_dialect_is_read() -> None:
    v27 = {
        name: value
        for name, value in bodies.NODE.items()
        if name not in {"id", "ips", "integrationUuids", "proxyUrl", "note", "nodeConsumptionMultiplier"}
    }  # fmt: skip
    new, old = nodes_read([bodies.NODE, v27])
    assert (new.note, old.note) == ("10G uplink", None)
    assert new.load is not None
    assert (new.load.rx_bytes_per_s, new.load.load_average) == (15728640.0, (0.42, 0.37, 0.31))
    assert (new.inbound_tags, new.provider_name) == (("VLESS_REALITY_TCP",), "Example Hosting")


def test_a_node_that_is_not_connected_tells_less() -> None:
    away = bodies.NODE | {"system": None, "versions": None, "usersOnline": 0, "isConnected": False}
    node = node_read(away)
    assert (node.load, node.xray_version, node.users_online) == (None, None, 0)


def test_figures_are_whole_numbers_also_where_the_panel_writes_texts() -> None:
    stats = system_stats_read(bodies.STATS)
    assert stats.lifetime_bytes == 184467440737095516
    assert stats.users_by_status[PanelStatus.EXPIRED] == 124
    assert (stats.users_total, stats.online_now) == (1043, 243)


def test_bandwidth_stands_beside_its_days() -> None:
    found = bandwidth_read(bodies.BANDWIDTH)
    assert found.days[0] == date(2026, 11, 18)
    assert found.nodes[0].bytes_by_day == (612032839680, 612032839680, 0)


def test_bandwidth_with_too_few_numbers_is_refused() -> None:
    with pytest.raises(ContractDiffers, match="2 numbers, 3 days"):
        bandwidth_read(bodies.BANDWIDTH | {"sparklineData": [1, 2]})


@pytest.mark.parametrize(
    ("version", "dialect"),
    [
        ("3.3.2", Dialect.V3),
        ("3.0.0-rc.1", Dialect.V3),
        ("2.8.1", Dialect.V28),
        ("v2.8.35", Dialect.V28),
        ("2.7.4", Dialect.V27),
        ("2.6.9", None),
        ("4.0.0", None),
        ("dev", None),
    ],
)
def test_a_version_decides_the_dialect(version: str, dialect: Dialect | None) -> None:
    found = version_read(version)
    assert found.dialect is dialect
    assert (found.problem is None) == (dialect is not None)


def test_a_moment_is_written_as_the_panel_writes_it() -> None:
    moscow = timezone(timedelta(hours=3))
    assert moment_write(datetime(2030, 1, 1, 3, tzinfo=moscow)) == "2030-01-01T00:00:00.000Z"
    with pytest.raises(ValueError, match="time zone"):
        moment_write(datetime(2030, 1, 1))  # noqa: DTZ001 - the point of it


def test_only_what_is_given_is_sent_and_none_empties() -> None:
    body = fields_write(
        {
            "expire_at": datetime(2030, 1, 1, tzinfo=UTC),
            "status": PanelStatus.ACTIVE,
            "traffic_strategy": TrafficStrategy.NO_RESET,
            "tag": None,
        }
    )
    assert body == {
        "expireAt": "2030-01-01T00:00:00.000Z",
        "status": "ACTIVE",
        "trafficLimitStrategy": "NO_RESET",
        "tag": None,
    }


@pytest.mark.parametrize(
    "fields", [{}, {"status": PanelStatus.EXPIRED}, {"expire_at": None}, {"username": "x"}]
)
def test_what_the_panel_would_misread_is_not_sent(fields: Any) -> None:
    with pytest.raises(ValueError, match=r"panel|field|empty"):
        fields_write(fields)
