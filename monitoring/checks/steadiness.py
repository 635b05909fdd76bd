"""A service that comes and goes has one alert until it has answered for a while, not one each time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count

from monitoring.checks.models import ServiceCheck, ServiceOutage
from monitoring.checks.models.service import ServiceState

DOWN_AFTER = 3  # failures in a row
OUTAGES = 3  # so many, each of DOWN_AFTER looks or more, that began within SPAN: it comes and goes
SPAN = timedelta(hours=1)
CALM = timedelta(minutes=10)  # without one failure; then it is steady again


def services_unsteady(rows: Sequence[ServiceCheck], at: datetime) -> set[str]:
    """Those that answer now, and of which it is too early to say so. No query while all are calm."""
    lately = [
        row.name
        for row in rows
        if row.state == ServiceState.UP and row.failed_at is not None and at - row.failed_at < CALM
    ]
    if not lately:
        return set()
    found = (
        ServiceOutage.objects.filter(
            service__in=lately,
            kind__in=[ServiceOutage.Kind.DOWN, ServiceOutage.Kind.REFUSED],
            looks__gte=DOWN_AFTER,
            began_at__gt=at - SPAN,
        )
        .values("service")
        .annotate(times=Count("pk"))
        .filter(times__gte=OUTAGES)
    )
    return set(found.values_list("service", flat=True))
