"""What failed is announced: once, together, and never about alerts themselves. Who tells is monitoring."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.alerts import attention_needed
from jobs.testing import drain
from notifications.telegram.models import QueuedMessage
from notifications.telegram.tasks import tell_admins
from tests.notifications.telegram.rows import fresh, lane_run, message_make
from tests.sandbox.fixture import Sandbox


@pytest.fixture
def announced() -> Iterator[list[dict[str, Any]]]:
    """What was announced meanwhile."""
    heard: list[dict[str, Any]] = []

    def hear(**said: Any) -> None:
        heard.append(said)

    attention_needed.connect(hear)
    yield heard
    attention_needed.disconnect(hear)


def test_messages_that_failed_are_announced_as_one_group(
    bot: Sandbox, announced: list[dict[str, Any]]
) -> None:
    bot.fault(kind="status", status=500)
    rows = [message_make(chat, attempts=4) for chat in (101, 102, 103)]
    lane_run()
    assert {fresh(row).status for row in rows} == {"failed"}
    assert [each["group"] for each in announced] == ["telegram.failed"] * 3
    assert announced[0]["link"] == "/admin/telegram/queuedmessage/?state=failed"


def test_an_alert_that_fails_is_no_alert(bot: Sandbox, announced: list[dict[str, Any]]) -> None:
    bot.fault(kind="status", status=500)
    row = message_make(1, attempts=4, notification_type="alert")
    lane_run()
    assert fresh(row).status == "failed"
    assert announced == []


@pytest.mark.parametrize("behaviour", ["blocked", "deactivated", "not_started", "not_found"])
def test_a_person_who_cannot_be_reached_wakes_no_admin(
    bot: Sandbox, behaviour: str, announced: list[dict[str, Any]]
) -> None:
    bot.behave(500, behaviour)
    message_make(500)
    lane_run()
    assert announced == []


def test_a_refused_token_is_announced_without_the_token(
    bot: Sandbox, settings: Settings, announced: list[dict[str, Any]]
) -> None:
    bot.revoke(int(settings.TELEGRAM_BOT_TOKEN.split(":")[0]))
    message_make(500)
    lane_run()
    (said,) = announced
    assert (said["group"], said["severity"]) == ("telegram.token", "critical")
    assert settings.TELEGRAM_BOT_TOKEN not in str(said)


def test_a_job_from_before_alerts_were_rows_still_tells(bot: Sandbox, settings: Settings) -> None:
    settings.ADMIN_TELEGRAM_IDS = [1, 2]
    tell_admins.enqueue(
        group="x",
        title="<b>& \u2028",
        text="<script>" * 2000,
        severity="critical",
        link="/admin/?a=1",
    )
    drain(queues=["notifications"])
    lane_run(after_s=20)
    assert QueuedMessage.objects.filter(status="sent").count() == 2
    assert "<b>&" in bot.messages(1)[0]["text"]
