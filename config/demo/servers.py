"""The servers of the demo: a dozen over the world, a month of history, and one that goes down and up.

The people of config/demo/shop.py are on them: the sandbox lets a part of them use the VPN all the time.
"""

import math
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from config.demo.sandbox import order
from jobs import sql
from jobs.registry import job
from lib import clock
from lib.partitions import days_prepare
from monitoring.nodes.collecting import COLUMN, TABLE, slot_of
from monitoring.nodes.configs import configs_write
from monitoring.nodes.locating import nodes_locate
from monitoring.nodes.looking import look_apply
from monitoring.nodes.models import Health, Node, NodeConfigChange, NodeHour, NodeState
from monitoring.nodes.rollup import hours_roll
from subscriptions.panel.door import panel_background

COUNTRIES = {"NL": 1, "US": 2, "SG": 1, "JP": 1, "BR": 1, "ZA": 1, "GB": 1, "PL": 1, "TR": 1}
LIVE = {"live_share": 0.2, "live_bytes": 3_000_000.0}
DAYS = 29
RAW = timedelta(hours=47)
HOUR = timedelta(hours=1)
SILENT = "JP"  # once full of people, and not any more
UNSTEADY = "PL"
PERIOD, DOWN_FOR = 15, 3  # minutes
MESSAGE = "connect ETIMEDOUT 198.51.100.77:2222"


def servers_make() -> None:
    """Fill the panel, look at it, and write the past. Not repeat-safe: it makes them again."""
    for country, count in COUNTRIES.items():
        order("POST", "remnawave/nodes", {"count": count, "country": country})
    client, at = panel_background(), clock.now()
    starting = [each for each in client.nodes() if each.is_connecting]
    for each in starting:
        order("PATCH", f"remnawave/nodes/{each.uuid}", {"state": "up"})
    order("PUT", "remnawave/settings", dict(LIVE))
    told = client.nodes()
    look_apply(told, at)
    configs_write(told, at)
    nodes_locate()
    days = client.bandwidth(at.date(), at.date())
    counted = {each.uuid: sum(each.bytes_by_day) for each in days.nodes}
    dice = random.Random(11)  # noqa: S311 - data to look at
    for number, row in enumerate(Node.objects.order_by("view_position")):
        if row.health == Health.MAINTENANCE:
            _since(row, at - timedelta(days=3, hours=7))
        else:
            _outages(row, dice, at)
            _hours(row, dice, at)
            _samples(row, dice, at, counted.get(row.pk, 0))
        _ours(row, number, at)
    hours_roll()


def _outages(row: Node, dice: random.Random, at: datetime) -> None:
    """States of a month: up, with a few losses; the unsteady one has many."""
    row.states.all().delete()
    begin, spans = at - timedelta(days=DAYS), []
    count = 9 if row.country_code == UNSTEADY else dice.choice((0, 1, 1, 2))
    moments = sorted(begin + (at - begin) * dice.uniform(0.05, 0.97) for _ in range(count))
    if row.country_code == UNSTEADY:
        moments += [at - timedelta(hours=each) for each in (19.2, 11.4, 5.1)]
    for moment in moments:
        if moment <= begin:
            continue
        end = moment + timedelta(minutes=dice.uniform(2, 40))
        spans.append(NodeState(node=row, health=Health.ONLINE, began_at=begin, ended_at=moment))
        spans.append(
            NodeState(
                node=row, health=Health.OFFLINE, began_at=moment, ended_at=end, reason=MESSAGE
            )
        )
        begin = end
    spans.append(NodeState(node=row, health=Health.ONLINE, began_at=begin))
    NodeState.objects.bulk_create(spans)
    _since(row, begin)


def _since(row: Node, moment: datetime) -> None:
    """The open span of a server, and what the server itself says of it, begin there."""
    row.states.filter(ended_at=None).update(began_at=moment)
    Node.objects.filter(pk=row.pk).update(
        health_since=moment, seen_since=moment, created_at=moment - timedelta(days=90)
    )


def _hours(row: Node, dice: random.Random, at: datetime) -> None:
    """Hours before the samples begin: those are made of samples."""
    last = (at - RAW).replace(minute=0, second=0, microsecond=0)
    made = []
    for back in range(1, DAYS * 24):
        hour = last - back * HOUR
        users = _people(row, hour, dice)
        rate = users * 180_000 * dice.uniform(0.8, 1.2)
        made.append(
            NodeHour(
                node=row, hour=hour, bytes_sum=int(rate * 3600), rate_avg=rate,
                rate_max=rate * dice.uniform(1.2, 1.9), rate_min=rate * dice.uniform(0.3, 0.8),
                users_avg=users, users_max=math.ceil(users * 1.2), samples=12,
            )
        )  # fmt: skip
    NodeHour.objects.bulk_create(made, batch_size=1000)


def _samples(row: Node, dice: random.Random, at: datetime, counted: int) -> None:
    """Two days of slots; the last has the counter of the panel, so that the next goes on from it."""
    with clock.shift(-timedelta(days=2)):
        days_prepare(TABLE, COLUMN)
    slot, step = slot_of(at), settings.NODE_BANDWIDTH_EVERY
    slots = [slot - step * back for back in range(int(RAW / step), -1, -1)]
    people = [round(_people(row, each, dice, is_late=True)) for each in slots]
    sizes = [int(each * 180_000 * step.total_seconds() * dice.uniform(0.6, 1.4)) for each in people]
    sql.run(
        """INSERT INTO node_sample (node_id, at, taken_at, day_bytes, bytes, seconds, users_online,
            load_1m)
        SELECT %(node)s, f.at, f.at, CASE WHEN f.at = %(last)s THEN %(counted)s END, f.size, %(step)s,
            f.users, 0.2 + f.users / 80.0
        FROM unnest(%(slots)s::timestamptz[], %(sizes)s::bigint[], %(people)s::int[])
            AS f (at, size, users)
        ON CONFLICT (node_id, at) DO NOTHING""",
        {
            "node": row.pk, "slots": slots, "sizes": sizes, "people": people, "last": slots[-1],
            "counted": counted, "step": step.total_seconds(),
        },
    )  # fmt: skip


def _people(row: Node, at: datetime, dice: random.Random, *, is_late: bool = False) -> float:
    """More in the evening of the place, fewer in the night."""
    local = at.astimezone(UTC).hour + (row.longitude or 0) / 15
    wave = 0.75 + 0.35 * math.cos((local - 20) / 24 * 2 * math.pi)
    usual = 150 if row.country_code == SILENT and not is_late else 22
    return max(1.0, usual * wave * dice.uniform(0.85, 1.15))


def _ours(row: Node, number: int, at: datetime) -> None:
    """What people know of a server, and a change of its settings."""
    Node.objects.filter(pk=row.pk).update(
        monthly_cost=Decimal(12 + number * 3), cost_currency="EUR",
        note="Contract until May; the second disk is to be replaced." if number == 0 else "",
    )  # fmt: skip
    if number == 0:
        was = {"field": "tags", "was": ["EU"], "is": sorted(row.tags)}
        limit = {"field": "traffic_limit_bytes", "was": 10 << 40, "is": 20 << 40}
        NodeConfigChange.objects.create(
            node=row, at=at - timedelta(days=2, hours=5), changes=[was, limit],
            config_hash=row.config_hash,
        )  # fmt: skip


@job("demo.servers", every="1m", immediate=True, timeout="30s")
def servers() -> dict[str, str]:
    """Let the unsteady server go down for some minutes now and then."""
    if not settings.REMNAWAVE_URL.endswith("/remnawave"):
        return {}
    row = Node.objects.filter(country_code=UNSTEADY, removed_at=None).first()
    if row is None or row.health == Health.MAINTENANCE:
        return {}
    is_down = int(clock.now().timestamp() // 60) % PERIOD < DOWN_FOR
    if is_down == (row.seen_health == Health.OFFLINE):
        return {}
    fields = {"state": "down", "message": MESSAGE} if is_down else {"state": "up"}
    order("PATCH", f"remnawave/nodes/{row.pk}", fields)
    return {row.name: fields["state"]}
