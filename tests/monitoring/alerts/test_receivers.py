"""What the platform announces becomes alerts, in the transaction of what happened, and none is lost."""

from datetime import timedelta

import pytest
from django.db import transaction

from jobs.alerts import attention
from jobs.breakers import force, record_success
from jobs.models import ScheduleEntry
from jobs.schedules import schedule_quarantined
from lib import clock
from monitoring.alerts.acting import alert_acknowledge
from monitoring.alerts.models import Alert
from monitoring.alerts.quieting import alerts_fade
from tests.monitoring.alerts.rows import fresh, press_run, raised, said, story, tell_run

HOUR = timedelta(hours=1)


def test_what_needs_a_person_is_an_alert_of_its_group() -> None:
    attention(group="access:gaps", title="Paid", text="one", severity="critical", link="/admin/x/")
    attention(group="access:gaps", title="Paid", text="two", severity="critical", link="/admin/x/")
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.severity) == ("attention", "access:gaps", "critical")
    assert (alert.text, alert.count, alert.link) == ("two", 2, "/admin/x/")
    (text,) = tell_run()
    assert "Times: 2" in said(text)
    assert "Source: access:gaps" in said(text)


def test_what_is_rolled_back_was_no_alert() -> None:
    with transaction.atomic():
        attention(group="x", title="Something")
        transaction.set_rollback(True)
    assert not Alert.objects.exists()


def test_what_happens_again_is_told_again_but_not_at_once() -> None:
    attention(group="x", title="First")
    tell_run()
    with clock.shift(timedelta(minutes=2)):
        attention(group="x", title="Second")
        attention(group="x", title="Third")
    assert len(tell_run(after_s=5 * 60)) == 1
    found = tell_run(after_s=11 * 60)
    assert len(found) == 2
    assert "Third" in found[1]
    assert "🔁 Again" in said(found[1])
    assert "Times: 3" in said(found[1])


def test_an_acknowledgement_of_what_has_no_end_holds_for_a_while() -> None:
    attention(group="x", title="First")
    alert = Alert.objects.get()
    alert_acknowledge(alert_id=alert.pk, by=None, name="olga")
    with clock.shift(HOUR):
        attention(group="x", title="Second")
    assert tell_run(after_s=2 * 3600) == []
    with clock.shift(5 * HOUR):
        attention(group="x", title="Third")
    assert len(tell_run(after_s=5 * 3600 + 31)) == 1
    assert fresh(alert).acked_at is None
    assert story(alert) == ["opened", "acknowledged", "again", "told"]


def test_what_is_heard_of_no_more_ends_by_itself_and_quietly() -> None:
    attention(group="x", title="Once")
    attention(group="telegram.token", title="Telegram refuses the token")
    raised()
    tell_run()
    with clock.shift(25 * HOUR):
        assert alerts_fade() == 1
        assert alerts_fade() == 0
    alert = Alert.objects.get(key="x")
    assert alert.resolved_at is not None
    assert alert.tell_at is None
    assert alert.note == "It was not heard of any more."


def test_a_service_that_does_not_answer_is_open_until_it_does() -> None:
    force("cryptobot", is_open=True, reason="HTTP 502")
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.text) == ("breaker_open", "cryptobot", "HTTP 502")
    force("cryptobot", is_open=False, reason="closed by hand")
    assert fresh(alert).resolved_at is not None


def test_a_breaker_that_closes_by_itself_clears_its_alert() -> None:
    force("panel", is_open=True, reason="HTTP 502")
    record_success("panel")
    assert Alert.objects.get().resolved_at is not None


def test_the_check_of_a_service_explains_its_breaker() -> None:
    raised("cryptobot", rule="service_down", title="Crypto Pay does not answer")
    raised("remnawave", rule="panel_unreachable", title="The panel does not answer")
    force("cryptobot", is_open=True, reason="HTTP 502")
    force("remnawave", is_open=True, reason="HTTP 502")
    assert len(tell_run()) == 2


def test_a_schedule_that_is_put_aside_is_an_alert() -> None:
    entry = ScheduleEntry(name="nightly")
    schedule_quarantined.send(ScheduleEntry, entry=entry, reason="no such kind")
    alert = Alert.objects.get()
    assert (alert.rule, alert.key, alert.severity) == (
        "schedule_quarantined",
        "nightly",
        "critical",
    )


@pytest.mark.parametrize("group", ["x" * 500, "a\x00b", " ", "ü" * 200])
def test_a_group_may_be_called_anything(group: str) -> None:
    attention(group=group, title="Something", severity="strange")
    attention(group=group, title="Something")
    alert = Alert.objects.get()
    assert (alert.count, alert.severity) == (2, "warning")


def test_a_critical_announcement_is_escalated_like_any_other() -> None:
    attention(group="x", title="Something", severity="critical")
    tell_run()
    assert len(press_run(timedelta(minutes=16))) == 2
