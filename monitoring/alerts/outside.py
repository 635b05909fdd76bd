"""Alerts of Prometheus, by the webhook of Alertmanager: raised and cleared by their fingerprint.

Source: Alertmanager 0.28, webhook_config, payload version "4". A label `rule` names ours (and so the
section of the runbook), else they are `external`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from jobs.audit import Account, audit_write
from lib import clock
from monitoring.alerts import rules
from monitoring.alerts.models import Severity
from monitoring.alerts.services import alert_clear, alert_raise
from monitoring.alerts.wording.foreign import alertmanager_says

SOURCE = "alertmanager"
_RULE = re.compile(r"[a-z0-9_.]{1,60}")
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "error": Severity.CRITICAL,
    "info": Severity.INFO,
    "none": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class Foreign:
    """One alert of a delivery."""

    is_firing: bool
    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@transaction.atomic
def alerts_receive(alerts: Sequence[Foreign], *, by: Account) -> dict[str, int]:
    """Raise those that fire, clear those that are resolved. Returns how many of which.

    Repeat: an alert that is sent again is noticed again. Locks: the rows of the alerts, in the order of
    their rules and fingerprints.
    """
    raised = cleared = 0
    for alert in sorted(alerts, key=lambda each: (rule_of(each), each.fingerprint)):
        if alert.is_firing:
            _raise(alert)
            raised += 1
        elif alert_clear(rule=rule_of(alert), key=alert.fingerprint, at=_not_ahead(alert.ends_at)):
            cleared += 1
    audit_write(by, "alerts.receive", SOURCE, "delivery", raised=raised, cleared=cleared)
    return {"raised": raised, "cleared": cleared}


def rule_of(alert: Foreign) -> str:
    """The rule that its label names, unless we raise and end alerts of that rule ourselves."""
    named = _named(alert)
    return rules.EXTERNAL if named in rules.OWN else named


def _named(alert: Foreign) -> str:
    named = alert.labels.get("rule", "")
    return named if _RULE.fullmatch(named) else rules.EXTERNAL


def _raise(alert: Foreign) -> None:
    name = alert.labels.get("alertname", "") or "An alert of Prometheus"
    summary = alert.annotations.get("summary") or name
    rest = {key: value for key, value in alert.labels.items() if key not in {"rule", "severity"}}
    lines = [alert.annotations.get("description", "")]
    lines += [f"{key}: {value}" for key, value in sorted(rest.items())]
    alert_raise(
        rule=rule_of(alert),
        key=alert.fingerprint,
        severity=_SEVERITIES.get(alert.labels.get("severity", ""), Severity.WARNING),
        says=alertmanager_says(summary, "\n".join(filter(None, lines))),
        link=_path(alert.annotations.get("link", "")),
        source=SOURCE,
        runbook=_named(alert),
        at=_not_ahead(alert.starts_at),
    )


def _not_ahead(moment: datetime | None) -> datetime | None:
    """Their clock may be ahead of ours."""
    return None if moment is None else min(moment, clock.now())


def _path(link: str) -> str:
    """A path of our console out of an address; others are no place to lead people to."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if not parts.path.startswith("/admin/"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
