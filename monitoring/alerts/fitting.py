"""Which silences fit which alerts. `*` in a rule or a key stands for anything.

silenced_until of an open alert is the latest end of the silences in force that fit it.
"""

from datetime import datetime

from jobs import sql
from lib import clock
from monitoring.alerts.models import Alert, EventKind
from monitoring.alerts.story import line_write

_LIKE = r"replace(replace(replace(replace({}, '\', '\\'), '%%', '\%%'), '_', '\_'), '*', '%%')"
_FITS = (
    "s.ended_at IS NULL AND s.starts_at <= %(now)s AND s.ends_at > %(now)s "
    f"AND {{rule}} LIKE {_LIKE.format('s.rule')} AND {{key}} LIKE {_LIKE.format('s.key')}"
)
# The ids of the open alerts that fit one rule and key, the newest first.
FITTING = f"""
SELECT a.id FROM alert a WHERE a.resolved_at IS NULL
    AND a.rule LIKE {_LIKE.format("%(rule)s::text")} AND a.key LIKE {_LIKE.format("%(key)s::text")}
ORDER BY a.id DESC LIMIT %(most)s
"""
_ONE = f"""
SELECT s.ends_at, s.created_by, s.reason FROM alert_silence s
WHERE {_FITS.format(rule="%(rule)s::text", key="%(key)s::text")} ORDER BY s.ends_at DESC LIMIT 1
"""
_ALL = f"""
SELECT a.id FROM alert a LEFT JOIN LATERAL (
    SELECT s.ends_at FROM alert_silence s WHERE {_FITS.format(rule="a.rule", key="a.key")}
    ORDER BY s.ends_at DESC LIMIT 1
) s ON true
WHERE (a.resolved_at IS NULL OR a.tell_at IS NOT NULL)
    AND s.ends_at IS DISTINCT FROM a.silenced_until
    AND (s.ends_at IS NOT NULL OR a.silenced_until > %(now)s)
ORDER BY a.id FOR NO KEY UPDATE OF a SKIP LOCKED
"""


def alert_quiet(alert: Alert) -> bool:
    """Let silenced_until of an open alert follow the silences; not saved. Returns whether it changed.

    The caller holds the lock of its row.
    """
    now = clock.now()
    found = sql.row(_ONE, {"now": now, "rule": alert.rule, "key": alert.key})
    until: datetime | None = found[0] if found else None
    if until == alert.silenced_until or (until is None and not is_silenced(alert)):
        return False
    if found is not None:
        alert.silenced_until, alert.silenced_by = until, found[1]
        line_write(
            alert, EventKind.SILENCED, by=found[1], until=found[0].isoformat(), reason=found[2]
        )
    else:
        alert.silenced_until, alert.silenced_by = None, ""
        line_write(alert, EventKind.UNSILENCED)
    return True


def alerts_quiet() -> int:
    """The same for all that are open or whose end is not told: windows begin and are taken back.

    Returns how many changed.

    In the caller's transaction. Locks: rows of alerts, by skipping what somebody else holds: the job
    that tells looks again before it does.
    """
    ids = [row[0] for row in sql.rows(_ALL, {"now": clock.now()})]
    changed = 0
    for alert in Alert.objects.filter(pk__in=ids).order_by("pk"):
        if alert_quiet(alert):
            alert.save(update_fields=["silenced_until", "silenced_by"])
            changed += 1
    return changed


def is_silenced(alert: Alert) -> bool:
    """Whether a silence is in force for it."""
    return alert.silenced_until is not None and alert.silenced_until > clock.now()
