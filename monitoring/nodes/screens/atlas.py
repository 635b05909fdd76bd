"""The map: where each server is drawn, and what is drawn of it."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from lib import clock
from monitoring.nodes.countries import country_name
from monitoring.nodes.models import Health
from monitoring.nodes.outline import Point, project, size
from monitoring.nodes.selectors import NodeNow, nodes_now, uptime

VIEWS = {
    "servers": "Where servers are",
    "world": "The whole world",
    "europe": "Europe",
    "asia": "Asia, Oceania",
    "americas": "Americas",
    "africa": "Africa",
}
# West, south, east, north, in degrees.
_REGIONS = {
    "europe": (-12.0, 34.0, 45.0, 66.0),
    "asia": (40.0, -46.0, 180.0, 58.0),
    "americas": (-135.0, -56.0, -32.0, 62.0),
    "africa": (-22.0, -36.0, 58.0, 38.0),
}
_DAY = timedelta(hours=24)
_LEAST = 60.0  # degrees of longitude that a view shows at least
_MARGIN = 0.18  # of the view around the servers
_RATIO = 2.05  # width to height
_REGION_RATIO = 1.2  # at least
_TURN = math.radians(137.5)  # seeds of a sunflower: none covers another
_STEP = 13.0  # pixels


@dataclass(frozen=True, slots=True)
class Pin:
    """One server. left and top: percent of the picture; dx and dy: pixels beside it, for servers that
    stand at the same place."""

    node: NodeNow
    place: str
    left: float
    top: float
    dx: float
    dy: float
    uptime_day: float | None


@dataclass(frozen=True, slots=True)
class Land:
    """A country with servers, for the list beside the map."""

    name: str
    pins: list[Pin]
    users: int


@dataclass(frozen=True, slots=True)
class Atlas:
    """The picture: its view box, its pins, and who has no place on it. hidden: outside of this view."""

    box: str
    ratio: float
    pins: list[Pin]
    lands: list[Land]
    lost: list[NodeNow]
    hidden: int
    counts: dict[str, int]


def atlas_get(view: str) -> Atlas:
    """The map of all servers that the panel lists. Four queries."""
    nodes = nodes_now()
    now = clock.now()
    ups = uptime([each.uuid for each in nodes], now - _DAY, now)
    placed = [each for each in nodes if each.latitude is not None and each.longitude is not None]
    points = {each.uuid: project(each.longitude or 0, each.latitude or 0) for each in placed}
    box = _box(view, list(points.values()))
    all_pins = list(_pins(placed, points, box, ups))
    pins = [each for each in all_pins if 0 <= each.left <= 100 and 0 <= each.top <= 100]
    counts = {health.value: 0 for health in Health}
    for each in nodes:
        counts[each.health] += 1
    return Atlas(
        box=" ".join(f"{value:.1f}" for value in box),
        ratio=box[2] / box[3],
        pins=pins,
        lands=_lands(pins),
        hidden=len(all_pins) - len(pins),
        lost=[each for each in nodes if each.latitude is None],
        counts=counts,
    )


def _box(view: str, points: list[Point]) -> tuple[float, float, float, float]:
    if view in _REGIONS:
        west, south, east, north = _REGIONS[view]
        return _around(
            [project(west, north), project(east, south)], margin=0.0, ratio=_REGION_RATIO
        )
    return _world() if view == "world" or not points else _around(points)


def _world() -> tuple[float, float, float, float]:
    return (0.0, 0.0, *size())


def _around(
    points: list[Point], margin: float = _MARGIN, ratio: float = _RATIO
) -> tuple[float, float, float, float]:
    """x, y, width and height of the smallest view of the usual form that shows all, within the world."""
    whole_w, whole_h = size()
    xs, ys = [x for x, _ in points], [y for _, y in points]
    width = max(_LEAST, (max(xs) - min(xs)) / (1 - 2 * margin))
    height = max(width / ratio, (max(ys) - min(ys)) / (1 - 2 * margin))
    width = min(whole_w, max(width, height * ratio))
    height = min(whole_h, width / ratio)
    x = min(max(0.0, (min(xs) + max(xs)) / 2 - width / 2), whole_w - width)
    y = min(max(0.0, (min(ys) + max(ys)) / 2 - height / 2), whole_h - height)
    return x, y, width, height


def _pins(
    placed: Sequence[NodeNow],
    points: Mapping[UUID, Point],
    box: tuple[float, float, float, float],
    ups: Mapping[UUID, float],
) -> Iterator[Pin]:
    x, y, width, height = box
    together: dict[Point, list[NodeNow]] = defaultdict(list)
    for each in placed:
        together[points[each.uuid]].append(each)
    for (at_x, at_y), group in together.items():
        for number, each in enumerate(group):
            far = _STEP * math.sqrt(number + 0.7) if len(group) > 1 else 0.0
            yield Pin(
                node=each,
                place=each.city or country_name(each.country_code),
                left=(at_x - x) / width * 100,
                top=(at_y - y) / height * 100,
                dx=far * math.cos(number * _TURN),
                dy=far * math.sin(number * _TURN),
                uptime_day=ups.get(each.uuid),
            )


def _lands(pins: list[Pin]) -> list[Land]:
    """By country, that with most people first."""
    found: dict[str, list[Pin]] = defaultdict(list)
    for pin in pins:
        found[country_name(pin.node.country_code)].append(pin)
    lands = [
        Land(name, group, sum(each.node.users_online for each in group))
        for name, group in found.items()
    ]
    return sorted(lands, key=lambda land: (-land.users, land.name))
