"""What a message says: one alert with its details, or many as counts and the first of them.

As the alerts are now: a message is written again when people have acted, so that it shows who.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from monitoring.alerts import rules
from monitoring.alerts.fitting import is_silenced
from monitoring.alerts.links import address_of, list_address
from monitoring.alerts.models import Alert, Severity, Telling
from monitoring.alerts.words import alert_words
from notifications.telegram.templates import render

NAMED = 10  # of many
_MARKS = {"critical": "🔴", "warning": "🟡", "info": "🔵"}
_OVER = "🟢"
_ORDER = [Severity.CRITICAL, Severity.WARNING, Severity.INFO]
Kind = Telling.Kind
_OCCASIONS = frozenset({Kind.AGAIN, Kind.REMINDER, Kind.ESCALATION})


def one_write(alert: Alert, kind: str, at: datetime) -> str:
    """The message about one alert, as Telegram HTML. at: when people are, or were, told."""
    words = alert_words(alert, settings.TELEGRAM_LANGUAGE)
    if not alert.is_open:
        assert alert.resolved_at is not None
        return _render(
            "alert_resolved",
            title=words.title,
            source=_source(alert),
            opened_at=alert.opened_at,
            resolved_at=alert.resolved_at,
            lasted=alert.resolved_at - alert.opened_at,
            by=alert.resolved_by or None,
            url=address_of(alert),
        )
    return _render(
        "alert_opened",
        severity=alert.severity,
        title=words.title,
        details=words.text or None,
        source=_source(alert),
        opened_at=alert.opened_at,
        occasion=kind if kind in _OCCASIONS else None,
        lasted=max(at - alert.opened_at, timedelta(0)),
        count=alert.count if alert.rule == rules.ATTENTION and alert.count > 1 else None,
        acked_by=(alert.acked_by or "-") if alert.acked_at else None,
        acked_at=alert.acked_at,
        silenced_until=alert.silenced_until if is_silenced(alert) else None,
        url=address_of(alert),
    )


def many_write(alerts: Sequence[Alert], kind: str) -> str:
    """The message about many: how many of which rule, and the first ten, the worst first."""
    opened = Counter(alert.rule for alert in alerts if alert.is_open)
    resolved = Counter(alert.rule for alert in alerts if not alert.is_open)
    counts = opened + resolved
    first = sorted(
        alerts,
        key=lambda alert: (not alert.is_open, _ORDER.index(Severity(alert.severity))),
    )[:NAMED]
    return _render(
        "alert_summary",
        occasion=kind if kind in _OCCASIONS - {Kind.AGAIN} else "news",
        opened=opened.total(),
        resolved=resolved.total(),
        rules=[
            {"name": rule, "opened": opened[rule] or None, "resolved": resolved[rule] or None}
            for rule, _ in counts.most_common(NAMED)
        ],
        more_rules=max(0, len(counts) - NAMED) or None,
        alerts=[
            {
                "mark": _MARKS[alert.severity] if alert.is_open else _OVER,
                "title": alert_words(alert, settings.TELEGRAM_LANGUAGE).title,
                "url": address_of(alert),
            }
            for alert in first
        ],
        more=max(0, len(alerts) - NAMED) or None,
        acked=sum(alert.acked_at is not None for alert in alerts) or None,
        silenced=sum(alert.is_open and is_silenced(alert) for alert in alerts) or None,
        url=list_address(),
    )


def _source(alert: Alert) -> str:
    return alert.key if alert.rule == rules.ATTENTION else alert.source or alert.rule


def _render(name: str, **values: Any) -> str:
    return render(name, settings.TELEGRAM_LANGUAGE, **values)
