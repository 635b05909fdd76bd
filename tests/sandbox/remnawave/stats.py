"""/api/system/stats: totals, some as texts for people."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.sandbox.remnawave.ask import Ask, ok
from tests.sandbox.remnawave.errors import refused
from tests.sandbox.remnawave.nodes import NodeState
from tests.sandbox.remnawave.panel import Panel
from tests.sandbox.remnawave.schema import Reader
from tests.sandbox.remnawave.times import DAY_MS
from tests.sandbox.remnawave.usage import days_between
from tests.sandbox.wire import Answer

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def totals(panel: Panel, ask: Ask) -> Answer:
    counts = panel.users.status_counts()
    return ok(
        {
            "cpu": {"cores": 4},
            "memory": {"total": 8323272704, "free": 3221225472, "used": 5102047232},
            "uptime": 1822031.51,
            "timestamp": panel.now_ms(),
            "users": {"statusCounts": counts, "totalUsers": sum(counts.values())},
            "onlineStats": _online(panel),
            "nodes": {
                "totalOnline": sum(node.users_online for node in panel.nodes.rows),
                "totalBytesLifetime": str(panel.usage.lifetime_bytes()),
            },
        }
    )


def bandwidth(panel: Panel, ask: Ask) -> Answer:
    """Spans beside the spans before them, as texts such as 1.42 TiB."""
    today = _today(panel)
    year = today.replace(month=1, day=1)
    month = today.replace(day=1)
    spans = {
        "bandwidthLastTwoDays": (today - timedelta(1), today),
        "bandwidthLastSevenDays": (today - timedelta(6), today),
        "bandwidthLast30Days": (today - timedelta(29), today),
        "bandwidthCalendarMonth": (month, today),
        "bandwidthCurrentYear": (year, today),
    }
    return ok({name: _compared(panel, first, last) for name, (first, last) in spans.items()})


def nodes(panel: Panel, ask: Ask) -> Answer:
    """Seven days by node name, bytes as decimal texts."""
    today = _today(panel)
    days = days_between(today - timedelta(6), today)
    found = [
        {"nodeName": node.name, "date": day.isoformat(), "totalBytes": str(size)}
        for node in panel.nodes.rows
        for day, size in zip(days, panel.usage.of_node(days, node.uuid), strict=True)
    ]
    return ok({"lastSevenDays": found})


def digest(panel: Panel, ask: Ask) -> Answer:
    """What happened in [start, end), traffic by whole days. Raises PanelError A235."""
    reader = Reader(ask.query)
    reader.moment("start", required=True)
    reader.moment("end", required=True)
    span = reader.finish()
    start_ms, end_ms = span["start"], span["end"]
    if start_ms >= end_ms:
        raise refused("A235")
    users = panel.users.rows
    first, last = (datetime.fromtimestamp(ms / 1000, UTC).date() for ms in (start_ms, end_ms - 1))
    return ok(
        {
            "users": {
                "createdCount": sum(start_ms <= user.created_ms < end_ms for user in users),
                "expiredCount": sum(start_ms <= user.expire_ms < end_ms for user in users),
            },
            "traffic": {
                "totalBytes": str(_bytes(panel, first, last)),
                "byUsersCreatedInRangeBytes": "0",
            },
            "hwidDevices": {"createdCount": 0},
        }
    )


def metrics(panel: Panel, ask: Ask) -> Answer:
    """Totals of the nodes that answer, as texts."""
    found: list[dict[str, Any]] = [
        {
            "nodeUuid": node.uuid,
            "nodeName": node.name,
            "countryEmoji": "".join(chr(0x1F1A5 + ord(letter)) for letter in node.country),
            "providerName": "Example Hosting",
            "usersOnline": node.users_online,
            "inboundsStats": [_flow("VLESS_REALITY_TCP", node.used_bytes)],
            "outboundsStats": [_flow("DIRECT", node.used_bytes)],
        }
        for node in panel.nodes.rows
        if node.state is NodeState.UP
    ]
    return ok({"nodes": found})


def display(size: int) -> str:
    """1.42 TiB; 0 is "0"."""
    if size == 0:
        return "0"
    sign, amount, unit = "-" if size < 0 else "", float(abs(size)), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{sign}{amount:.2f} {_UNITS[unit]}"


def _flow(tag: str, size: int) -> dict[str, str]:
    return {"tag": tag, "upload": display(size // 20), "download": display(size)}


def _online(panel: Panel) -> dict[str, int]:
    """Users by how long ago they were seen; now means within 30 s."""
    now_ms = panel.now_ms()
    seen = [now_ms - user.online_ms for user in panel.users.rows if user.online_ms is not None]
    return {
        "lastDay": sum(ago <= DAY_MS for ago in seen),
        "lastWeek": sum(ago <= 7 * DAY_MS for ago in seen),
        "neverOnline": len(panel.users) - len(seen),
        "onlineNow": sum(ago <= 30_000 for ago in seen),
    }


def _today(panel: Panel) -> date:
    return panel.clock.now().date()


def _bytes(panel: Panel, first: date, last: date) -> int:
    days = days_between(first, last)
    return sum(sum(panel.usage.of_node(days, node.uuid)) for node in panel.nodes.rows)


def _compared(panel: Panel, first: date, last: date) -> dict[str, str]:
    span = last - first + timedelta(1)
    current, previous = _bytes(panel, first, last), _bytes(panel, first - span, last - span)
    return {
        "current": display(current),
        "previous": display(previous),
        "difference": display(current - previous),
    }
