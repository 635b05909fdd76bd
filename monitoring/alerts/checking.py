"""Looking again: the kind of job that raised an alert, run on demand."""

from typing import Any

from jobs.registry import JobKind, kind_find
from monitoring.alerts.models import Alert


def recheck_kind(alert: Alert) -> JobKind[Any] | None:
    """The kind that raised it, if it can be run as it is: known, ours, and without args that it needs."""
    kind = kind_find(alert.source) if alert.source else None
    if kind is None or kind.is_external:
        return None
    needs = [each for each in kind.signature.parameters.values() if each.default is each.empty]
    return None if needs else kind
