"""The numbers of the monitoring on the first page of the console."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import reverse

from jobs import sql
from lib import clock, durations
from lib.now import Figure, Severity, figure
from monitoring.alerts.models import Alert
from monitoring.alerts.models import Severity as Level
from monitoring.checks.models import ServiceCheck
from monitoring.dashboard.panel import PanelLook, look_load
from monitoring.dashboard.picture.trouble import alerts_shown
from monitoring.dashboard.reading import LATE, snapshot_row, taken_at
from subscriptions.panel import door

SLOW_MS = 2_000
OLD = timedelta(minutes=5)  # nobody has asked the panel for so long
POINTS = 40  # of a small line


@figure(order=10, permission="alerts.view_alert")
def open_alerts() -> Figure:
    """What is wrong, as far as anybody has noticed. One query over what is open."""
    found = Alert.objects.filter(pk__in=alerts_shown().order_by().values("pk")).aggregate(
        all=Count("pk"),
        critical=Count("pk", filter=Q(severity=Level.CRITICAL)),
        warning=Count("pk", filter=Q(severity=Level.WARNING)),
        unseen=Count("pk", filter=Q(acked_at=None)),
        first=Min("opened_at"),
    )
    url = reverse("admin:alerts_alert_changelist")
    if not found["all"]:
        return Figure("Open alerts", "0", url=url, hint="nothing is wrong that we know of")
    age = durations.words(clock.now() - found["first"])
    nobody = f", {found['unseen']:,} nobody has" if found["unseen"] else ""
    severity = Severity.NOTICE
    if found["critical"] or found["warning"]:
        severity = Severity.CRITICAL if found["critical"] else Severity.WARNING
    return Figure(
        "Open alerts",
        f"{found['all']:,}",
        severity,
        url,
        f"{found['critical']:,} critical{nobody}; the oldest for {age}",
        runbook=_runbook_of_worst(),
    )


def _runbook_of_worst() -> str:
    worst = alerts_shown().values_list("runbook", "rule").first()
    return "" if worst is None else worst[0] or worst[1]


@figure(order=35, permission="nodes.view_node")
def users_online() -> Figure:
    """How many are online by the last picture. Two queries."""
    picture, now = snapshot_row(), clock.now()
    url = reverse("ops")
    if picture is None or taken_at(picture) < now - LATE:
        since = f"since {taken_at(picture):%d %b %H:%M} UTC" if picture else "yet"
        return Figure(
            "Users online", "?", Severity.WARNING, url,
            f"no picture was taken {since}: no worker runs", "workers_gone",
        )  # fmt: skip
    online = picture["people"]["online"]
    servers = picture["servers"]
    hint = f"{servers['counts']['online']:,} of {servers['total']:,} servers online"
    down = servers["counts"]["offline"]
    return Figure(
        "Users online",
        "?" if online is None else f"{online:,}",
        Severity.WARNING if online is None else None,
        url,
        f"{hint}, {down:,} offline" if down else hint,
        spark=_line("SELECT at, users_online::float8 FROM dashboard_point WHERE at > %(since)s"),
    )


@figure(order=60, permission="nodes.view_node")
def panel_latency() -> Figure | None:
    """How long the panel takes to answer; nothing where there is no panel. Three queries."""
    if not door.is_on():
        return None
    look, now = _last_look(), clock.now()
    url = reverse("admin:checks_servicecheck_changelist")
    if look is None or look.at < now - OLD:
        return Figure(
            "Panel latency", "?", Severity.WARNING, url,
            f"nobody has asked it {f'since {look.at:%H:%M} UTC' if look else 'yet'}", "workers_gone",
        )  # fmt: skip
    if look.error:
        return Figure(
            "Panel latency", "away", Severity.CRITICAL, url, look.error[:120], "panel_unreachable"
        )
    is_slow = look.latency_ms >= SLOW_MS
    spark = _line(
        """SELECT at, latency_ms FROM service_sample
        WHERE service = 'remnawave' AND is_ok AND at > %(since)s"""
    )
    return Figure(
        "Panel latency",
        f"{look.latency_ms:,.0f} ms",
        Severity.WARNING if is_slow else None,
        url,
        f"asked {look.at:%H:%M:%S} UTC{'; the line is the last hour' if len(spark) > 1 else ''}",
        "panel_unreachable" if is_slow else "",
        spark=spark,
    )


def _last_look() -> PanelLook | None:
    """The latest of two that ask it: the check of services, and the live dashboard."""
    picture = snapshot_row()
    looks = [look_load(picture["panel"])] if picture else []
    check = ServiceCheck.objects.filter(pk="remnawave").first()
    if check is not None and check.checked_at is not None:
        error = "" if check.state == "up" else check.error or "no answer"
        looks.append(PanelLook(check.checked_at, check.latency_ms or 0.0, error))
    return max(filter(None, looks), key=lambda look: look.at, default=None)


def _line(points: str) -> list[float]:
    """The mean of each part of the last hour that has points. points: a query of ours."""
    now = clock.now()
    values: dict[str, Any] = {"since": now - timedelta(hours=1), "parts": POINTS}
    found = sql.rows(
        f"""SELECT floor(extract(epoch FROM at - %(since)s) / 3600 * %(parts)s), avg(latency)
        FROM ({points}) p (at, latency) WHERE latency IS NOT NULL GROUP BY 1 ORDER BY 1""",
        values,
    )
    return [float(value) for _, value in found]
