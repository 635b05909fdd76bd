"""Nobody takes it: others are told; it stays open: people are reminded."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from lib import clock
from monitoring.alerts.acting import alert_acknowledge, alert_escalate
from monitoring.alerts.errors import AlertResolved, NobodyToTell
from monitoring.alerts.services import alert_clear
from monitoring.alerts.silences import alert_silence
from notifications.telegram.models import QueuedMessage
from tests.monitoring.alerts.rows import fresh, press_run, raised, said, story, tell_run, texts

MINUTE = timedelta(minutes=1)


def chats() -> list[int]:
    return list(QueuedMessage.objects.order_by("id").values_list("telegram_id", flat=True))


def test_a_critical_alert_that_nobody_takes_is_escalated_once(settings: Settings) -> None:
    settings.ALERT_ESCALATION_IDS = [77, 78]
    alert = raised()
    tell_run()
    assert len(press_run(14 * MINUTE)) == 1
    found = press_run(16 * MINUTE)
    assert chats() == [1, 77, 78]
    assert said(found[1]).startswith("⏫ Nobody has taken it")
    assert len(press_run(40 * MINUTE)) == 3
    assert fresh(alert).escalated_at is not None
    assert story(alert) == ["opened", "told", "escalated"]


def test_without_chats_of_escalation_the_admins_are_told_again() -> None:
    raised()
    tell_run()
    press_run(16 * MINUTE)
    assert chats() == [1, 1]


@pytest.mark.parametrize("what", ["warning", "acknowledged", "silenced", "resolved", "untold"])
def test_what_is_not_pressing_is_not_escalated(what: str) -> None:
    alert = raised(severity="warning" if what == "warning" else "critical")
    if what != "untold":
        tell_run()
    before = len(texts())
    if what == "acknowledged":
        alert_acknowledge(alert_id=alert.pk, by=None, name="olga")
    elif what == "silenced":
        alert_silence(
            alert_id=alert.pk, until=clock.now() + timedelta(hours=9), by=None, name="olga"
        )
    elif what == "resolved":
        alert_clear(rule=alert.rule, key=alert.key)
    press_run(16 * MINUTE)
    press_run(timedelta(hours=5))
    assert len(texts()) == before


def test_many_are_escalated_in_one_message() -> None:
    for number in range(30):
        raised(f"node-{number}")
    tell_run()
    found = press_run(16 * MINUTE)
    assert len(found) == 2
    assert "Nobody has taken these: 30" in said(found[1])


def test_an_open_critical_alert_is_reminded_of_every_four_hours() -> None:
    alert = raised()
    tell_run()
    press_run(16 * MINUTE)
    assert len(press_run(timedelta(hours=4))) == 2
    assert said(press_run(timedelta(hours=4, minutes=20))[-1]).startswith("⏰ Still open (4 h")
    assert len(press_run(timedelta(hours=5))) == 3
    assert len(press_run(timedelta(hours=8, minutes=30))) == 4
    assert story(alert) == ["opened", "told", "escalated", "reminded", "reminded"]


def test_a_person_may_escalate_at_once(settings: Settings) -> None:
    settings.ALERT_ESCALATION_IDS = [77]
    alert = raised(severity="warning")
    alert_escalate(alert_id=alert.pk, by=None, name="olga")
    assert chats() == [77]
    assert story(alert) == ["opened", "escalated"]
    settings.ALERT_ESCALATION_IDS, settings.ADMIN_TELEGRAM_IDS = [], []
    with pytest.raises(NobodyToTell):
        alert_escalate(alert_id=alert.pk, by=None)
    alert_clear(rule=alert.rule, key=alert.key)
    with pytest.raises(AlertResolved):
        alert_escalate(alert_id=alert.pk, by=None)
