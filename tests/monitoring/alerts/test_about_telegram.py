"""The alert path says nothing about itself in the channel that is broken; then it says it once."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.breakers import force
from lib import clock
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_clear
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import message_cancel
from tests.monitoring.alerts.rows import fresh, press_run, raised, said, tell_run
from tests.notifications.telegram.rows import lane_run, message_make
from tests.sandbox.fixture import Sandbox

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("how", ["breaker", "check"])
def test_telegram_is_not_told_that_it_is_away_until_it_is_back(how: str) -> None:
    if how == "breaker":
        force("telegram", is_open=True, reason="HTTP 502")
    else:
        raised("telegram", rule="service_down", title="Telegram does not answer")
    assert tell_run() == []
    assert tell_run(after_s=3600) == []
    assert press_run(timedelta(hours=5)) == []
    with clock.shift(2 * HOUR):
        if how == "breaker":
            force("telegram", is_open=False, reason="it answers")
        else:
            alert_clear(rule="service_down", key="telegram")
    (text,) = tell_run(after_s=2 * 3600 + 31)
    assert said(text).startswith("🟢 Resolved: Telegram does not answer")
    assert "Lasted: 2 h" in said(text)
    assert len(tell_run(after_s=3 * 3600)) == 1


def test_the_breaker_and_the_check_of_telegram_are_one_message() -> None:
    force("telegram", is_open=True, reason="HTTP 502")
    raised("telegram", rule="service_down", title="Telegram does not answer")
    assert tell_run() == []
    with clock.shift(HOUR):
        force("telegram", is_open=False, reason="it answers")
        alert_clear(rule="service_down", key="telegram")
    (text,) = tell_run(after_s=3600 + 31)
    assert "Telegram does not answer" in text


def test_other_alerts_wait_in_the_queue_meanwhile() -> None:
    force("telegram", is_open=True, reason="HTTP 502")
    raised()
    (text,) = tell_run()
    assert "Server fra-1 is offline" in text


def test_a_refused_token_is_told_once_when_it_is_taken_again(
    bot: Sandbox, settings: Settings
) -> None:
    number = int(settings.TELEGRAM_BOT_TOKEN.split(":")[0])
    bot.revoke(number)
    waiting = message_make(500)
    lane_run()
    assert Alert.objects.get().key == "telegram.token"
    assert tell_run() == []
    bot.restore(number)
    assert tell_run(after_s=5 * 60) == []  # what waits for the token says that it is refused
    message_cancel(message_id=waiting.pk, by=None)
    tell_run(after_s=11 * 60)  # asks, and finds that the token is taken
    (text,) = tell_run(after_s=12 * 60)
    assert said(text).startswith("🟢 Resolved: Telegram refuses the token of the bot")
    alert = Alert.objects.get()
    assert fresh(alert).note == "Telegram takes the token."


def test_a_token_that_is_still_refused_stays_an_alert(bot: Sandbox, settings: Settings) -> None:
    bot.revoke(int(settings.TELEGRAM_BOT_TOKEN.split(":")[0]))
    raised("telegram.token", rule="attention", title="Telegram refuses the token of the bot")
    assert tell_run(after_s=60) == []
    assert Alert.objects.get().resolved_at is None


def test_telegram_is_away_and_back_and_each_alert_arrives_once(bot: Sandbox) -> None:
    bot.fault(kind="down", for_s=600)
    raised("a")
    tell_run()
    for seconds in (35, 80, 160):  # the steps of the ladder
        lane_run(after_s=seconds)
    assert bot.messages(1) == []
    assert Alert.objects.filter(rule="breaker_open", key="telegram", resolved_at=None).exists()
    raised("b", rule="queue_depth", title="The queue is long")
    tell_run(after_s=200)
    bot.clear_faults()
    for minutes in (5, 10, 30, 60):  # past the pauses of the breaker, and the steps of the ladder
        lane_run(after_s=minutes * 60)
        tell_run(after_s=minutes * 60 + 40)
        lane_run(after_s=minutes * 60 + 45)
    firsts = [message["text"].splitlines()[0] for message in bot.messages(1)]
    assert sorted(firsts) == [
        "🔴 CRITICAL: Server a is offline",
        "🔴 CRITICAL: The queue is long",
        "🟢 Resolved: Telegram does not answer",
    ]
    assert QueuedMessage.objects.filter(status="sent").count() == 3
