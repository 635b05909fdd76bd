"""What others ask: how servers are, uptime, incidents; the map."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lib import clock
from monitoring.nodes import outline, selectors
from monitoring.nodes.locating import nodes_locate
from monitoring.nodes.models import Health, Node, NodeState
from monitoring.nodes.outline import LAND, WATER, project
from monitoring.nodes.screens.atlas import VIEWS, atlas_get
from monitoring.nodes.screens.listing import strips_of
from monitoring.nodes.selectors import incidents, nodes_now, uptime
from tests.monitoring.nodes.rows import DAY, HOUR, MINUTE, node_make, sample_make, state_make


def bare(number: int = 1, **columns: object) -> Node:
    """A server whose spans the test writes."""
    row = node_make(number, **columns)
    NodeState.objects.filter(node=row).delete()
    return row


def test_uptime_is_the_share_of_time_online() -> None:
    row = bare()
    state_make(row, "online", 10 * HOUR, 4 * HOUR)
    state_make(row, "offline", 4 * HOUR, 3 * HOUR)
    state_make(row, "warning", 3 * HOUR, 2 * HOUR)
    state_make(row, "online", 2 * HOUR, None)
    now = clock.now()
    assert uptime([row.pk], now - 10 * HOUR, now)[row.pk] == pytest.approx(0.8, abs=1e-4)
    assert uptime(None, now - 4 * HOUR, now - 3 * HOUR)[row.pk] == pytest.approx(0, abs=1e-4)


def test_maintenance_and_time_before_it_was_known_are_left_out() -> None:
    row = bare()
    state_make(row, "maintenance", 5 * HOUR, 2 * HOUR)
    state_make(row, "offline", 2 * HOUR, HOUR)
    state_make(row, "online", HOUR, None)
    now = clock.now()
    assert uptime([row.pk], now - 30 * DAY, now)[row.pk] == pytest.approx(0.5, abs=1e-4)
    assert uptime([row.pk], now - 5 * HOUR, now - 3 * HOUR) == {}
    assert uptime([], now - DAY, now) == {}


def test_the_future_counts_for_nothing() -> None:
    row = bare()
    state_make(row, "online", HOUR, None)
    now = clock.now()
    assert uptime([row.pk], now - HOUR, now + DAY)[row.pk] == 1


def test_spans_of_one_outage_are_one_incident() -> None:
    row = bare()
    now = clock.now()
    told = ["online", "warning", "offline", "warning", "online", "offline"]
    begins = [now - hours * HOUR for hours in (9, 5, 4, 3, 2, 1)]
    for health, begin, end in zip(told, begins, [*begins[1:], None], strict=True):
        NodeState.objects.create(
            node=row, health=health, began_at=begin, ended_at=end, reason=health
        )
    last, first = incidents(now - DAY, now)
    assert (first.health, first.lasted, first.reason) == (Health.OFFLINE, 3 * HOUR, "warning")
    assert last.ended_at is None
    assert incidents(now - DAY, now - 6 * HOUR) == []
    assert [each.began_at for each in incidents(now - 4 * HOUR, now - 3.5 * HOUR)] == [
        now - 4 * HOUR
    ]


def test_incidents_of_several_servers_do_not_mix() -> None:
    now = clock.now()
    first, second = bare(1), bare(2)
    NodeState.objects.create(
        node=first, health="offline", began_at=now - 2 * HOUR, ended_at=now - HOUR
    )
    NodeState.objects.create(node=second, health="offline", began_at=now - HOUR)
    assert [each.node_id for each in incidents(now - DAY, now)] == [second.pk, first.pk]
    assert len(incidents(now - DAY, now, first.pk)) == 1


def test_how_servers_are_now_costs_three_queries() -> None:
    for number in range(1, 6):
        row = node_make(number, users_online=number)
    sample_make(row.pk, clock.now() - 5 * MINUTE, bytes=3000, seconds=300.0)
    node_make(9, removed_at=clock.now())
    with CaptureQueriesContext(connection) as found:
        nodes = nodes_now()
    assert len(found) == 3
    assert [each.users_online for each in nodes] == [1, 2, 3, 4, 5]
    assert nodes[-1].bytes_per_s == 10
    assert (nodes[0].bytes_per_s, nodes[0].users_usual) == (None, None)


def test_an_old_sample_says_nothing_of_now() -> None:
    row = node_make()
    sample_make(row.pk, clock.now() - HOUR)
    assert selectors.rates_now() == {}


def test_a_strip_has_each_span_where_it_belongs() -> None:
    row = bare()
    state_make(row, "online", 30 * HOUR, 6 * HOUR)
    state_make(row, "offline", 6 * HOUR, None)
    now = clock.now()
    up, down = strips_of([row.pk], now - DAY, now)[row.pk]
    assert [up.left, up.width] == pytest.approx([0, 75], abs=0.01)
    assert [down.left, down.width] == pytest.approx([75, 25], abs=0.01)


def test_each_place_has_its_pin_and_those_of_one_country_are_spread() -> None:
    for number in range(1, 5):
        node_make(number)
    node_make(5, country_code="JP")
    node_make(6, country_code="XX")
    nodes_locate()
    atlas = atlas_get("servers")
    assert len(atlas.pins) == 5
    assert [each.name for each in atlas.lost] == ["NL-6"]
    spots = {(each.left, each.top, each.dx, each.dy) for each in atlas.pins}
    assert len(spots) == 5
    assert all(0 < each.left < 100 and 0 < each.top < 100 for each in atlas.pins)
    assert [land.name for land in atlas.lands] == ["Netherlands", "Japan"]
    assert atlas.counts["online"] == 6


def test_a_view_of_a_continent_leaves_out_the_others() -> None:
    node_make(1)
    node_make(2, country_code="JP")
    nodes_locate()
    found = {view: atlas_get(view) for view in VIEWS}
    assert [each.node.name for each in found["europe"].pins] == ["NL-1"]
    assert [each.node.name for each in found["asia"].pins] == ["NL-2"]
    assert found["europe"].hidden == found["asia"].hidden == 1
    assert (found["americas"].pins, found["world"].hidden) == ([], 0)


def test_an_empty_map_is_the_world() -> None:
    atlas = atlas_get("servers")
    assert atlas.box.startswith("0.0 0.0 360.0")
    assert atlas.pins == []


@pytest.mark.unit
def test_the_picture_of_the_world_is_what_its_outline_makes() -> None:
    """Changed by hand? `python -m monitoring.nodes.outline`."""
    assert outline.FILE.read_text(encoding="utf-8") == outline.svg()


@pytest.mark.unit
def test_the_outline_is_on_earth() -> None:
    for name, ring in [*LAND.items(), *WATER.items()]:
        assert len(ring) >= 3, name
        for longitude, latitude in ring:
            assert outline.SOUTH < latitude < outline.NORTH, name
            assert outline.WEST < longitude < outline.WEST + 360, name
    assert project(0, 0)[0] == 170
    assert project(-175, 0)[0] == 355  # Chukotka stands beside Siberia


@pytest.mark.unit
@pytest.mark.parametrize(
    ("place", "is_land"),
    [
        ((2.3, 48.8), True), ((-100, 40), True), ((25, 0), True), ((135, -25), True), ((37.6, 55.7), True),
        ((-30, 30), False), ((80, -20), False), ((-150, 0), False), ((35, 43.5), False),
    ],
)  # fmt: skip
def test_land_is_land(place: tuple[float, float], *, is_land: bool) -> None:
    inside = [name for name, ring in [*LAND.items(), *WATER.items()] if _holds(ring, place)]
    assert (len(inside) % 2 == 1) == is_land, inside


def _holds(ring: outline.Ring, place: tuple[float, float]) -> bool:
    x, y = place
    crossings = 0
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            crossings += 1
    return crossings % 2 == 1
