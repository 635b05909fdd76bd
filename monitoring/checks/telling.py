"""Alerts about services: one for each that is down, until it answers again."""

from collections.abc import Collection, Sequence
from datetime import datetime

from monitoring.alerts.services import alert_clear, alert_raise, alerts_open
from monitoring.alerts.wording.catalogue import says
from monitoring.checks.known import RULES, SERVICES, UPLINK, UPLINK_RULE, Service
from monitoring.checks.models import ServiceCheck
from monitoring.checks.models.service import ServiceState
from monitoring.checks.steadiness import services_unsteady

PAGE = "/admin/checks/servicecheck/"
KIND = "monitoring.check_services"


def services_tell(rows: Sequence[ServiceCheck], *, refused: Collection[str], at: datetime) -> None:
    """Raise what is down, clear what is not. In the transaction that wrote the rows.

    While our own uplink is in doubt (it failed once or twice) nothing new is told of what lies behind
    it: a minute later either it is the reason, or it is not. The alert of one that comes and goes stays
    until it is steady.
    """
    by_name = {row.name: row for row in rows}
    raised = set(alerts_open().filter(rule__in=RULES).values_list("rule", "key"))
    uplink = by_name.get(UPLINK)
    unsteady = services_unsteady(rows, at)
    is_doubtful = uplink is not None and uplink.state == ServiceState.FAILING
    for service in SERVICES:
        row = by_name.get(service.name)
        if row is None:
            continue
        is_raised = (service.rule, service.name) in raised
        if row.state == ServiceState.DOWN:
            if is_raised or not (is_doubtful and service.is_outside):
                _raise(service, row, is_refused=service.name in refused, at=at)
        elif is_raised and row.state != ServiceState.FAILING and row.name not in unsteady:
            _clear(service, row, at)


def _raise(service: Service, row: ServiceCheck, *, is_refused: bool, at: datetime) -> None:
    saying = "service_down.refused" if is_refused else "service_down"
    if service.name == UPLINK:
        saying = UPLINK_RULE
    since = row.ok_at or row.watched_since or at
    alert_raise(
        rule=service.rule,
        key=service.name,
        severity="critical",
        says=says(
            saying,
            service=service.name,
            looks=row.failures,
            since=since,
            error=row.error or None,
            meanwhile=service.name,
        ),
        link=f"{PAGE}{service.name}/change/",
        source=KIND,
        # The rooms tell of a refused token themselves, and say what to do.
        parent=("attention", service.matter) if is_refused and service.matter else service.parent,
        at=at,
    )


def _clear(service: Service, row: ServiceCheck, at: datetime) -> None:
    note = "It answers again."
    if row.state == ServiceState.OFF:
        note = f"It is not looked at any more: {service.missing} is not set."
    alert_clear(rule=service.rule, key=service.name, note=note, at=at)
