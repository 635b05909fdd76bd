"""Numbers over time as places in a picture of its own units. Pure; what draws is in templatetags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from monitoring.nodes.selectors import HourLine, RawLine

WIDTH, HEIGHT = 720.0, 120.0
_HEAD = 8.0  # above the highest point


@dataclass(frozen=True, slots=True)
class Curve:
    """Values from 0 to 1, evenly spaced; None is a gap. With `low` it is a band between two."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] | None = None

    def runs(self, step: float, height: float, head: float = _HEAD) -> Iterator[str]:
        """The points of each part without a gap."""
        for part in _parts(self.values):
            yield " ".join(_place(number, value, step, height, head) for number, value in part)

    def lines(self, plot: "Plot") -> Iterator[tuple[str, str]]:
        """Of each part without a gap the line, and the area under it."""
        for part in _parts(self.values):
            line = " ".join(
                _place(number, value, plot.step, plot.height, _HEAD, plot.step / 2)
                for number, value in part
            )
            first, last = ((part[end][0] + 0.5) * plot.step for end in (0, -1))
            yield line, f"{first:.1f},{plot.height} {line} {last:.1f},{plot.height}"

    def bands(self, plot: "Plot") -> Iterator[str]:
        """The outline of each part of a band."""
        low = self.low or []
        both = [
            None if a is None or b is None else (a, b)
            for a, b in zip(self.values, low, strict=True)
        ]
        for is_gap, group in groupby(enumerate(both), key=lambda pair: pair[1] is None):
            if is_gap:
                continue
            part = [(number, pair) for number, pair in group if pair is not None]
            there = [
                _place(n, pair[0], plot.step, plot.height, _HEAD, plot.step / 2) for n, pair in part
            ]
            back = [
                _place(n, pair[1], plot.step, plot.height, _HEAD, plot.step / 2) for n, pair in part
            ]
            yield " ".join([*there, *reversed(back)])


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart. points: where a pointer finds what: (x, moment, value); days: x of each midnight (UTC)."""

    since: datetime
    until: datetime
    step: float
    top: float
    curves: list[Curve]
    points: list[tuple[float, datetime, float | None]]
    days: list[float] = field(default_factory=list)
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.points


def plot_raw(rows: Sequence[RawLine], since: datetime, until: datetime, what: str) -> Plot:
    """Slots in thirds of an hour: traffic ("rate") by its mean, people ("users") by their mean."""
    span = timedelta(minutes=20)
    since = _floor(since, since.replace(minute=0, second=0, microsecond=0), span)
    found: dict[datetime, list[float]] = {}
    for row in rows:
        value = row.bytes_per_s if what == "rate" else row.users_online
        if value is not None:
            found.setdefault(_floor(row.at, since, span), []).append(float(value))
    return _plot(
        since, until, span, what, {at: sum(each) / len(each) for at, each in found.items()}
    )


def plot_hours(rows: Sequence[HourLine], since: datetime, until: datetime, what: str) -> Plot:
    """Hours: traffic by its mean with highest and lowest, people by their mean."""
    span = timedelta(hours=1)
    start = since.replace(minute=0, second=0, microsecond=0)
    if what != "rate":
        return _plot(start, until, span, what, {row.hour: row.users_avg for row in rows})
    means = {row.hour: row.rate_avg for row in rows if row.rate_avg is not None}
    highs = {row.hour: row.rate_max for row in rows if row.rate_max is not None}
    lows = {row.hour: row.rate_min for row in rows if row.rate_min is not None}
    return _plot(start, until, span, what, means, highs, lows)


def _plot(
    since: datetime,
    until: datetime,
    span: timedelta,
    name: str,
    values: dict[datetime, float],
    highs: dict[datetime, float] | None = None,
    lows: dict[datetime, float] | None = None,
) -> Plot:
    moments, at = [], since
    while at < until:
        moments.append(at)
        at += span
    step = WIDTH / max(len(moments), 1)
    top = max([*values.values(), *(highs or {}).values()], default=0.0) or 1.0

    def scaled(found: dict[datetime, float]) -> list[float | None]:
        return [None if (value := found.get(each)) is None else value / top for each in moments]

    curves = [Curve(name, scaled(values))]
    if highs and lows:
        curves.insert(0, Curve("band", scaled(highs), scaled(lows)))
    return Plot(
        since=since,
        until=until,
        step=step,
        top=top,
        curves=curves,
        points=[
            (number * step, each, values[each])
            for number, each in enumerate(moments)
            if each in values
        ],
        days=[
            number * step for number, each in enumerate(moments) if each.hour == 0 == each.minute
        ],
    )


def _floor(at: datetime, since: datetime, span: timedelta) -> datetime:
    return since + (at - since) // span * span


def _parts(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """(number, value) of each part without a gap."""
    for is_gap, group in groupby(enumerate(values), key=lambda pair: pair[1] is None):
        if not is_gap:
            yield [(number, value) for number, value in group if value is not None]


def _place(
    number: int, value: float, step: float, height: float, head: float, inset: float = 0.0
) -> str:
    return f"{number * step + inset:.1f},{height - value * (height - head):.1f}"
