"""Telling: once when it opens, once when it is over, together what comes together."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from jobs.testing import assert_enqueued, assert_not_enqueued, drain
from lib import clock
from monitoring.alerts.acting import alert_acknowledge
from monitoring.alerts.models import Alert, Telling
from monitoring.alerts.services import alert_clear, alert_raise
from monitoring.alerts.tasks import tell
from monitoring.alerts.telling import alerts_tell
from notifications.telegram.models import QueuedMessage
from tests.monitoring.alerts.rows import fresh, raised, said, story, tell_run, texts


def test_an_alert_is_told_once_when_its_window_is_over() -> None:
    alert = raised(text="No answer for 5 minutes.")
    assert tell_run(after_s=10) == []
    (text,) = tell_run()
    assert "CRITICAL: Server fra-1 is offline" in said(text)
    assert "No answer for 5 minutes." in text
    assert f"/admin/alerts/alert/{alert.pk}/change/" in text
    assert tell_run(after_s=200) == [text]
    row = fresh(alert)
    assert (row.told_at is not None, row.tell_at) == (True, None)
    assert story(alert) == ["opened", "told"]
    message = QueuedMessage.objects.get()
    assert (message.telegram_id, message.priority, message.notification_type) == (1, 0, "alert")


def test_while_no_alert_is_open_or_to_be_told_the_job_costs_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        assert tell() == {"told": 0}
    raised()
    assert len(tell_run()) == 1


def test_who_comes_early_comes_again_when_the_window_is_over() -> None:
    raised()
    tell_run(after_s=1)
    job = assert_enqueued("alerts.tell")
    assert timedelta(seconds=20) < job.run_at - clock.now() <= timedelta(seconds=31)


def test_the_end_of_what_was_told_is_told_once() -> None:
    alert = raised()
    tell_run()
    with clock.shift(timedelta(minutes=65)):
        alert_clear(rule=alert.rule, key=alert.key)
    found = tell_run(after_s=65 * 60 + 31)
    assert len(found) == 2
    assert "Resolved: Server fra-1 is offline" in said(found[1])
    assert "1 h 5 min" in said(found[1])
    assert len(tell_run(after_s=65 * 60 + 90)) == 2
    assert story(alert) == ["opened", "told", "resolved", "told"]


def test_a_blip_that_is_over_before_its_window_is_not_told() -> None:
    alert = raised()
    alert_clear(rule=alert.rule, key=alert.key)
    assert tell_run(after_s=90) == []


def test_few_are_a_message_each_in_each_chat(settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = [1, 2, 1]
    for key in ("a", "b", "c"):
        raised(key)
    assert len(tell_run()) == 6
    assert Telling.objects.count() == 3
    chats = QueuedMessage.objects.order_by("id").values_list("telegram_id", flat=True)
    assert list(chats) == [1, 2] * 3


def test_two_hundred_events_within_five_seconds_are_one_message() -> None:
    for number in range(200):
        with clock.shift(timedelta(seconds=number * 0.025)):
            raised(f"node-{number}", severity="warning" if number else "critical")
    with clock.shift(timedelta(seconds=3)):
        raised("default", rule="queue_depth", title="The queue is long")
    (text,) = tell_run(after_s=36)
    shown = said(text)
    assert "Alerts: opened 201, resolved 0" in shown
    assert "node_offline: opened 200" in shown
    assert "queue_depth: opened 1" in shown
    assert "More: 191" in shown
    # The worst come first.
    assert shown.index("Server node-0 is offline") < shown.index("Server node-1 is offline")
    assert Alert.objects.filter(told_at=None).count() == 0
    assert tell_run(after_s=100) == [text]


def test_what_opens_and_what_ends_go_into_one_message() -> None:
    for key in ("a", "b", "c", "d"):
        raised(key)
    tell_run()
    with clock.shift(timedelta(minutes=5)):
        for key in ("a", "b", "c"):
            alert_clear(rule="node_offline", key=key)
        raised("e")
    text = tell_run(after_s=5 * 60 + 31)[-1]
    assert "opened 1, resolved 3" in said(text)


def test_a_group_is_told_with_a_bounded_number_of_queries(
    django_assert_max_num_queries: object,
) -> None:
    for number in range(50):
        raised(f"node-{number}")
    with clock.shift(timedelta(seconds=31)), django_assert_max_num_queries(30):  # type: ignore[operator]
        tell()
    assert len(texts()) == 1


def test_what_somebody_has_taken_is_not_told_but_its_end_is() -> None:
    taken, told = raised("a"), raised("b")
    alert_acknowledge(alert_id=taken.pk, by=None, name="olga")
    assert len(tell_run()) == 1
    alert_acknowledge(alert_id=told.pk, by=None, name="olga")
    for key in ("a", "b"):
        alert_clear(rule="node_offline", key=key)
    found = tell_run(after_s=90)
    assert len(found) == 2
    assert "Resolved: Server b is offline" in said(found[1])


def test_without_anybody_to_tell_alerts_wait(settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = []
    raised()
    assert tell_run() == []
    assert_not_enqueued("alerts.tell")  # the schedule comes by; nobody asks all the time
    settings.ADMIN_TELEGRAM_IDS = [1]
    assert len(tell_run(after_s=90)) == 1


def test_without_a_bot_alerts_wait(settings: Settings) -> None:
    token, settings.TELEGRAM_BOT_TOKEN = settings.TELEGRAM_BOT_TOKEN, ""
    raised()
    assert tell_run() == []
    settings.TELEGRAM_BOT_TOKEN = token
    assert len(tell_run(after_s=90)) == 1


def test_what_got_worse_is_told_anew() -> None:
    raised(severity="warning")
    tell_run()
    with clock.shift(timedelta(minutes=5)):
        raised(severity="critical")
    found = tell_run(after_s=5 * 60 + 31)
    assert len(found) == 2
    assert said(found[1]).startswith("🔁 Again\n🔴 CRITICAL")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_alert_may_hold_anything(settings: Settings, language: str) -> None:
    settings.TELEGRAM_LANGUAGE = language
    alert_raise(
        rule="<b>", key="&amp;", severity="critical", title="<b>& \u2028", text="<script>" * 600,
        link="/admin/?a=1&b=2",
    )  # fmt: skip
    (text,) = tell_run()
    assert "<b>&" in said(text)


def test_a_run_with_nothing_to_tell_changes_nothing() -> None:
    tell.enqueue()
    drain(queues=["notifications"], limit=5)
    assert texts() == []


def test_what_comes_and_goes_all_night_is_not_told_each_time() -> None:
    """Open for a minute of each two, for an hour: it was told thirty times, and thirty times its end."""
    for number in range(30):
        with clock.shift(timedelta(minutes=2 * number)):
            raised("fra-1", rule="external")
        with clock.shift(timedelta(minutes=2 * number + 1)):
            alerts_tell()
            alert_clear(rule="external", key="fra-1")
        with clock.shift(timedelta(minutes=2 * number + 1.8)):
            alerts_tell()
    assert len(texts()) == 2 * 3
    assert Alert.objects.filter(rule="external").count() == 30


def test_what_stays_after_it_came_and_went_is_told_all_the_same(settings: Settings) -> None:
    for number in range(3):
        with clock.shift(timedelta(minutes=2 * number)):
            raised()
        with clock.shift(timedelta(minutes=2 * number + 1)):
            alerts_tell()
            alert_clear(rule="node_offline", key="fra-1")
            alerts_tell()
    with clock.shift(timedelta(minutes=6)):
        stays = raised()
        raised("fra-2")  # another one waits for nobody
    with clock.shift(timedelta(minutes=7)):
        alerts_tell()
        assert fresh(stays).told_at is None
    with clock.shift(timedelta(minutes=6) + settings.ALERT_REPEAT):
        alerts_tell()
        assert fresh(stays).told_at is not None
    assert Alert.objects.get(key="fra-2").told_at is not None
