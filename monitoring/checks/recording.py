"""Writing down what a look at the services found: rows, samples, outages and alerts, in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from monitoring.checks.models import ServiceCheck, ServiceOutage, ServiceSample
from monitoring.checks.models.service import ServiceState
from monitoring.checks.steadiness import DOWN_AFTER
from monitoring.checks.telling import services_tell
from monitoring.checks.verdicts import Verdict

_FIELDS = [
    "state", "since", "watched_since", "checked_at", "ok_at", "latency_ms", "failures", "failed_at",
    "error", "facts",
]  # fmt: skip


@dataclass(slots=True)
class _Outages:
    """What a round changes of the outages."""

    opened: list[ServiceOutage]
    went_on: list[ServiceCheck]
    closed: list[str]


@transaction.atomic
def services_record(verdicts: Mapping[str, Verdict | None], at: datetime) -> dict[str, str]:
    """Write a round of looks, made at that moment. None: the service is not configured.

    Returns the state of each by its name. Repeat: a round that is not later than what a row knows
    changes nothing of it. Locks: the rows of the services by name, then those of their alerts.
    """
    rows = _locked(verdicts, at)
    refused = {name for name, verdict in verdicts.items() if verdict and verdict.is_refusal}
    changes, fresh = _Outages([], [], []), list[ServiceCheck]()
    for row in rows:
        if row.checked_at is not None and row.checked_at >= at:
            continue
        fresh.append(row)
        _apply(row, verdicts[row.name], at, changes)
    ServiceCheck.objects.bulk_update(fresh, _FIELDS)
    ServiceSample.objects.bulk_create(
        ServiceSample(
            at=at, service=row.name, is_ok=verdict.is_ok, latency_ms=round(verdict.latency_ms, 2)
        )
        for row in fresh
        if (verdict := verdicts[row.name]) is not None
    )
    _outages_write(changes, refused, at)
    services_tell(rows, refused=refused, at=at)
    return {row.name: row.state for row in rows}


def _locked(names: Iterable[str], at: datetime) -> list[ServiceCheck]:
    wanted = sorted(names)
    found = ServiceCheck.objects.select_for_update(no_key=True).filter(name__in=wanted)
    rows = list(found.order_by("name"))
    if len(rows) == len(wanted):
        return rows
    ServiceCheck.objects.bulk_create(
        [ServiceCheck(name=name, state=ServiceState.OFF, since=at) for name in wanted],
        ignore_conflicts=True,
    )
    return list(found.order_by("name"))


def _apply(row: ServiceCheck, verdict: Verdict | None, at: datetime, changes: _Outages) -> None:
    before = row.state
    if verdict is None:
        row.failures, row.error, row.latency_ms, row.watched_since = 0, "", None, None
        row.state = ServiceState.OFF
        changes.closed.append(row.name)
    else:
        _gap_note(row, at, changes)
        row.watched_since = row.watched_since or at
        row.latency_ms = round(verdict.latency_ms, 2)
        if verdict.is_ok:
            row.ok_at, row.facts, row.failures = at, verdict.facts, 0
            row.state = ServiceState.UP
            changes.closed.append(row.name)
        else:
            row.failures, row.failed_at, row.error = row.failures + 1, at, verdict.error[:2000]
            is_down = row.failures >= DOWN_AFTER
            row.state = ServiceState.DOWN if is_down else ServiceState.FAILING
            changes.went_on.append(row)
    row.checked_at = at
    if row.state != before:
        row.since = at


def _gap_note(row: ServiceCheck, at: datetime, changes: _Outages) -> None:
    """Nobody looked for a while: what a service did then is not known, and counts neither way.

    Nor do looks before it and after it follow each other: who was not down yet begins anew.
    """
    longest = 3 * settings.SERVICE_CHECK_INTERVAL + timedelta(seconds=30)
    last = row.checked_at
    if last is None or row.watched_since is None or at - last <= longest:
        return
    if row.failures:
        row.failures = row.failures if row.state == ServiceState.DOWN else 0
        return
    changes.opened.append(
        ServiceOutage(service=row, kind=ServiceOutage.Kind.UNWATCHED, began_at=last, ended_at=at)
    )


def _outages_write(changes: _Outages, refused: set[str], at: datetime) -> None:
    ServiceOutage.objects.bulk_create(changes.opened)
    if changes.closed:
        ServiceOutage.objects.filter(service__in=changes.closed, ended_at=None).update(ended_at=at)
    for row in changes.went_on:
        is_refused = row.name in refused
        kind = ServiceOutage.Kind.REFUSED if is_refused else ServiceOutage.Kind.DOWN
        went_on = row.outages.filter(ended_at=None).update(
            looks=F("looks") + 1, kind=kind, error=row.error
        )
        if not went_on:
            row.outages.create(kind=kind, began_at=at, looks=1, error=row.error)
