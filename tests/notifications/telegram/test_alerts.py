"""What failed is told to the admins: once, together, and never about alerts themselves."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from jobs.alerts import attention
from jobs.breakers import force
from jobs.testing import assert_enqueued, assert_not_enqueued, drain
from lib import clock
from notifications.telegram.models import QueuedMessage
from tests.notifications.telegram.rows import fresh, lane_run, message_make
from tests.sandbox.fixture import Sandbox


def alerts() -> list[QueuedMessage]:
    return list(QueuedMessage.objects.filter(notification_type="alert").order_by("id"))


def tell(after_s: float = 10) -> None:
    """Run what tells the admins, when its window is over."""
    with clock.shift(timedelta(seconds=after_s)):
        drain(queues=["notifications"])


def test_messages_that_failed_are_one_alert(bot: Sandbox, settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = [1, 2]
    bot.fault(kind="status", status=500)
    rows = [message_make(chat, attempts=4) for chat in (101, 102, 103)]
    lane_run()
    assert {fresh(row).status for row in rows} == {"failed"}
    assert_enqueued("telegram.tell_admins", times=1, group="telegram.failed")
    bot.clear_faults()
    tell()
    assert [row.telegram_id for row in alerts()] == [1, 2]
    text = alerts()[0].message
    assert "Telegram messages failed" in text
    assert "(3 times" in text
    assert "/admin/telegram/queuedmessage/?state=failed" in text
    assert alerts()[0].priority == 0
    tell(after_s=60)
    assert len(alerts()) == 2


def test_what_goes_on_failing_is_told_again_but_not_at_once(bot: Sandbox) -> None:
    attention(group="telegram.failed", title="First")
    tell()
    attention(group="telegram.failed", title="Second")
    tell(after_s=20)
    assert len(alerts()) == 1
    assert_enqueued("telegram.tell_admins", title="Second")


def test_an_alert_that_fails_is_no_alert(bot: Sandbox) -> None:
    bot.fault(kind="status", status=500)
    row = message_make(1, attempts=4, notification_type="alert")
    lane_run()
    assert fresh(row).status == "failed"
    assert_not_enqueued("telegram.tell_admins")


@pytest.mark.parametrize("behaviour", ["blocked", "deactivated", "not_started", "not_found"])
def test_a_person_who_cannot_be_reached_wakes_no_admin(bot: Sandbox, behaviour: str) -> None:
    bot.behave(500, behaviour)
    message_make(500)
    lane_run()
    assert_not_enqueued("telegram.tell_admins")


def test_a_refused_token_is_told_to_whoever_can_hear_it(bot: Sandbox, settings: Settings) -> None:
    bot.revoke(int(settings.TELEGRAM_BOT_TOKEN.split(":")[0]))
    message_make(500)
    lane_run()
    job = assert_enqueued("telegram.tell_admins", group="telegram.token")
    assert job.args["severity"] == "critical"
    assert settings.TELEGRAM_BOT_TOKEN not in str(job.args)


def test_without_admins_nobody_is_told(bot: Sandbox, settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = []
    attention(group="x", title="Something")
    assert_not_enqueued("telegram.tell_admins")


def test_a_service_that_is_down_is_told_but_not_telegram_itself(bot: Sandbox) -> None:
    force("panel", is_open=True, reason="HTTP 502")
    assert_enqueued("telegram.tell_admins", group="breaker:panel")
    force("telegram", is_open=True, reason="HTTP 502")
    assert_not_enqueued("telegram.tell_admins", group="breaker:telegram")


def test_an_alert_may_hold_anything(bot: Sandbox) -> None:
    attention(group="x", title="<b>& \u2028", text="<script>" * 2000, link="/admin/?a=1&b=2")
    tell()
    lane_run(after_s=20)
    (row,) = alerts()
    assert fresh(row).status == "sent"
    assert "<b>&" in bot.messages(1)[0]["text"]
