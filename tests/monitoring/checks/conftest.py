"""Services over the sandbox, and rules with values that a test decides."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from django_q.models import Schedule
from pytest_django.fixtures import Settings

from lib import clock
from monitoring.alerts.wording.foreign import attention_says
from monitoring.checks.known import SERVICES
from monitoring.checks.recording import services_record
from monitoring.checks.rules.rule import Part, Reading, Rule, Unit
from monitoring.checks.verdicts import Verdict
from tests.panels import TOKEN as PANEL_TOKEN
from tests.sandbox.fixture import Sandbox

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WELL = Verdict(True, 12.5, facts={"version": "1"})
AWAY = Verdict(False, 30.0, "connection refused")
REFUSED = Verdict(False, 30.0, "401 unauthorized", is_refusal=True)


@pytest.fixture
def outside(sandbox: Sandbox, settings: Settings) -> Sandbox:
    """Panel, Telegram and Crypto Pay are those of the sandbox; no uplink is looked at."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = PANEL_TOKEN
    settings.TELEGRAM_API_URL = sandbox.telegram_url
    settings.TELEGRAM_BOT_TOKEN = "7001:secret"
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = "41207:AASample-secret_part"
    settings.UPLINK_PROBES = []
    return sandbox


class Disk(NamedTuple):
    """What shutil.disk_usage says."""

    total: int
    used: int
    free: int


@pytest.fixture
def calm(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is beyond its threshold, however full the disk is, and however long ago schedules were made."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(100, 40, 60))
    Schedule.objects.update(next_run=clock.now() + timedelta(days=1))


def record(at: datetime, **verdicts: Verdict | None) -> dict[str, str]:
    """A round in which these services said so; the others are well."""
    given: dict[str, Verdict | None] = {service.name: WELL for service in SERVICES}
    return services_record({**given, **verdicts}, at)


def rounds(count: int, since: datetime = AT, **verdicts: Verdict | None) -> datetime:
    """So many rounds, a minute apart. Returns the moment of the next."""
    for number in range(count):
        record(since + MINUTE * number, **verdicts)
    return since + MINUTE * count


def _all(value: float) -> Part:
    return Part("all", value, attention_says("test", f"it is at {value:g}", ""))


class Gauge:
    """A rule whose value the test sets: a number, several by key, or an error."""

    def __init__(self) -> None:
        self.says: float | dict[str, float] | Exception | None = 0.0

    def __call__(self) -> Reading:
        match self.says:
            case Exception():
                raise self.says
            case None:
                return Reading(None, "there is nothing to measure")
            case dict():
                parts = tuple(
                    Part(key, value, attention_says("test", f"{key} is at {value:g}", ""))
                    for key, value in self.says.items()
                )
                return Reading(max(self.says.values(), default=0.0), "several", parts)
            case value:
                return Reading(value, "one", (_all(value),))


@pytest.fixture
def gauge() -> Gauge:
    return Gauge()


@pytest.fixture
def make_rule(gauge: Gauge, settings: Settings) -> Callable[..., Rule]:
    """A rule over 10, which ends at 9, whose cooldown is 15 minutes: make_rule(looks=2)."""
    settings.RULE_TEST = 10
    settings.RULE_COOLDOWN = timedelta(minutes=15)

    def make(name: str = "error_rate", **changes: object) -> Rule:
        given = {
            "title": "A test",
            "summary": "What a test measures.",
            "severity": "warning",
            "unit": Unit.PERCENT,
            "setting": "RULE_TEST",
            "measure": gauge,
        }
        return Rule(name, **{**given, **changes})  # type: ignore[arg-type]

    return make
