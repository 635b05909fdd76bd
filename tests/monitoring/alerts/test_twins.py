"""A breaker that opens and the service found down are one matter: people hear of it once."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from jobs.breakers import force
from lib import clock
from monitoring.alerts.acting import alert_acknowledge
from monitoring.alerts.attention import critical_alerts
from monitoring.alerts.models import Alert
from monitoring.alerts.pending import TWIN_PATIENCE
from monitoring.alerts.services import alert_clear
from monitoring.alerts.silences import alert_silence
from tests.monitoring.alerts.rows import fresh, press_run, raised, said, tell_run

MINUTE = timedelta(minutes=1)
SERVICES = pytest.mark.parametrize(
    ("rule", "name"),
    [("service_down", "cryptobot"), ("panel_unreachable", "remnawave")],
    ids=["service", "panel"],
)
Ends = Callable[[str, str], None]


def breaker(name: str, *, is_open: bool = True) -> None:
    force(name, is_open=is_open, reason="HTTP 502")


def look(rule: str, name: str) -> Alert:
    return raised(name, rule=rule, title=f"{name} was looked at", parent=("uplink_down", "uplink"))


def heads(found: list[str]) -> list[str]:
    """The first line of each message."""
    return [said(text).splitlines()[0] for text in found]


def cards() -> int:
    """How many the first page of the console shows."""
    found = critical_alerts()
    assert isinstance(found, Iterable)
    return len(list(found))


def end_breaker(_: str, name: str) -> None:
    breaker(name, is_open=False)


def end_look(rule: str, name: str) -> None:
    alert_clear(rule=rule, key=name)


ENDS = pytest.mark.parametrize(
    "ends", [(end_breaker, end_look), (end_look, end_breaker)], ids=["breaker first", "look first"]
)


@SERVICES
@ENDS
def test_a_breaker_and_then_the_look_are_told_once(
    rule: str, name: str, ends: tuple[Ends, Ends]
) -> None:
    breaker(name)
    assert len(tell_run()) == 1
    with clock.shift(3 * MINUTE):
        look(rule, name)
        breaker(name)  # a probe has failed: it opens again
    assert len(tell_run(after_s=5 * 60)) == 1
    assert cards() == 1
    found = _ended(rule, name, ends)
    assert [head.split()[0] for head in heads(found)] == ["🔴", "🟢"]
    assert "does not answer" in heads(found)[1]


@SERVICES
@ENDS
def test_a_look_and_then_the_breaker_are_told_once(
    rule: str, name: str, ends: tuple[Ends, Ends]
) -> None:
    look(rule, name)
    assert len(tell_run()) == 1
    with clock.shift(3 * MINUTE):
        breaker(name)
        look(rule, name)
    assert len(tell_run(after_s=5 * 60)) == 1
    assert cards() == 1
    found = _ended(rule, name, ends)
    assert heads(found)[1:] == [f"🟢 Resolved: {name} was looked at"]


def _ended(rule: str, name: str, ends: tuple[Ends, Ends]) -> list[str]:
    """All messages, when one ended after ten minutes and the other a minute later."""
    first, second = ends
    with clock.shift(10 * MINUTE):
        first(rule, name)
    tell_run(after_s=10 * 60 + 40)
    with clock.shift(11 * MINUTE):
        second(rule, name)
    tell_run(after_s=11 * 60 + 40)
    assert not Alert.objects.filter(resolved_at=None).exists()
    return tell_run(after_s=20 * 60)


@SERVICES
def test_both_at_the_same_moment_are_told_once(rule: str, name: str) -> None:
    look(rule, name)
    breaker(name)
    Alert.objects.update(parent=None)  # as if neither had seen the other
    assert len(tell_run()) == 1
    assert Alert.objects.filter(parent=None).count() == 1


def test_what_stays_when_its_twin_has_ended_is_told_after_a_while() -> None:
    breaker("cryptobot")
    service = look("service_down", "cryptobot")
    tell_run()
    with clock.shift(10 * MINUTE):
        breaker("cryptobot", is_open=False)
    assert len(tell_run(after_s=10 * 60 + 60)) == 2
    late = 10 * 60 + TWIN_PATIENCE.total_seconds()
    assert len(tell_run(after_s=late - 1)) == 2
    assert heads(tell_run(after_s=late + 1))[2] == "🔴 CRITICAL: cryptobot was looked at"
    assert fresh(service).told_at is not None


def test_the_breaker_of_one_service_explains_no_other() -> None:
    breaker("cryptobot")
    look("service_down", "telegram-like")
    look("panel_unreachable", "remnawave")
    assert len(tell_run()) == 3


def test_who_has_taken_the_one_is_not_bothered_by_the_other() -> None:
    breaker("cryptobot")
    tell_run()
    alert_acknowledge(alert_id=Alert.objects.get().pk, by=None, name="olga")
    with clock.shift(3 * MINUTE):
        look("service_down", "cryptobot")
    assert len(tell_run(after_s=4 * 60)) == 1
    assert len(press_run(timedelta(hours=5))) == 1


def test_a_breaker_that_was_silenced_before_does_not_silence_the_look() -> None:
    breaker("cryptobot")
    alert_silence(
        alert_id=Alert.objects.get().pk, until=clock.now() + 60 * MINUTE, by=None, name="olga"
    )
    with clock.shift(3 * MINUTE):
        look("service_down", "cryptobot")
    assert heads(tell_run(after_s=4 * 60)) == ["🔴 CRITICAL: cryptobot was looked at"]
