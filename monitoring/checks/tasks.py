"""The jobs that look at services and measure rules."""

from django.conf import settings

from jobs.ladders import CLEANUP, HEALTH
from jobs.models import Priority
from jobs.registry import job
from monitoring.checks.outages import outages_forget
from monitoring.checks.services import anomalies_check, services_check


@job(
    "monitoring.check_services",
    queue="notifications",
    priority=Priority.HIGH,
    every=settings.SERVICE_CHECK_INTERVAL,
    immediate=True,
    single=True,
    retry=HEALTH,
    timeout="90s",
)
def check_services() -> dict[str, str]:
    """Look at panel, Postgres, Redis, Telegram, Crypto Pay and our own way out; tell of what is down."""
    return services_check()


@job(
    "monitoring.check_anomalies",
    queue="notifications",  # in threads: a cleanup of an hour holds up nobody who looks
    priority=Priority.HIGH,
    every="1m",
    immediate=True,
    single=True,
    retry=HEALTH,
    timeout="90s",
)
def check_anomalies() -> dict[str, object]:
    """Measure all rules beside their thresholds; tell of what is beyond."""
    judged = anomalies_check()
    return {"raised": judged.raised, "held_back": judged.held_back, "cleared": judged.cleared}


@job("monitoring.forget_outages", queue="maintenance", cron="35 4 * * *", retry=CLEANUP)
def forget_outages() -> int:
    """Delete outages of services that ended long ago."""
    return outages_forget()
