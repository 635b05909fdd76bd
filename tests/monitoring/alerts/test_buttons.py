"""Buttons under a message: pressed in Telegram, done as a service, answered, and shown in every copy."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.breakers import force
from jobs.models import AuditEntry, RateBucket
from jobs.outcomes import Snooze
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from lib import clock
from monitoring.alerts.acting import alert_acknowledge
from monitoring.alerts.buttons import buttons_of, press_read
from monitoring.alerts.models import Alert, Telling
from monitoring.alerts.services import alert_clear
from notifications.telegram import errors
from notifications.telegram.models import QueuedMessage
from payments.models import IncomingWebhook
from tests.monitoring.alerts.rows import SECRET, fresh, raised, tell_run
from tests.notifications.telegram.rows import lane_run
from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.receiver import Receiver

DOOR = "/webhooks/telegram/"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
Press = Callable[..., dict[str, Any]]


@pytest.fixture
def told(bot: Sandbox) -> Callable[[], None]:
    """Alerts are told, and their messages are sent."""

    def tell() -> None:
        tell_run()
        lane_run(after_s=32)

    return tell


@pytest.fixture
def press(bot: Sandbox, client: Client) -> Iterator[Press]:
    """Press a button; what Telegram posts is brought to the door and done. Gives the press."""
    with Receiver() as receiver:
        bot.presses_to(receiver.url, SECRET)

        def act(button: str, chat: int = 1, **more: Any) -> dict[str, Any]:
            before = len(receiver.arrivals)
            made = bot.press(chat, button, **more)
            for arrival in receiver.arrivals[before:]:
                answer = client.post(
                    DOOR, arrival.body, content_type="application/json",
                    headers={HEADER: arrival.headers.get(HEADER, "")},
                )  # fmt: skip
                assert answer.status_code == 200
            work()
            (found,) = [each for each in bot.presses() if each["id"] == made["id"]]
            return found

        yield act


def work() -> None:
    """What was pressed is done, and what changed is shown."""
    drain(queues=["notifications"], limit=200)
    with clock.shift(timedelta(seconds=5)):
        drain(queues=["notifications"], limit=200)


def labels(message: dict[str, Any]) -> list[str]:
    markup = message["reply_markup"] or {"inline_keyboard": []}
    return [button["text"] for row in markup["inline_keyboard"] for button in row]


def test_a_message_has_buttons_for_what_can_be_done(bot: Sandbox, told: Callable[[], None]) -> None:
    raised(source="files.check_watchers")
    told()
    (message,) = bot.messages(1)
    assert labels(message) == ["✅ Ack", "🔕 Silence 1 h", "🔄 Re-check"]


def test_ack_takes_the_alert_and_every_copy_shows_who_has_it(
    bot: Sandbox, told: Callable[[], None], press: Press, settings: Settings
) -> None:
    settings.ADMIN_TELEGRAM_IDS = [1, 2]
    alert = raised()
    told()
    found = press("Ack", username="olga")
    assert found["answer"] == "Acknowledged: 1"
    row = fresh(alert)
    assert (row.acked_by, row.acked_at is not None) == ("olga (1)", True)
    for chat in (1, 2):
        (message,) = bot.messages(chat)
        assert "✅ Acknowledged: olga (1)" in message["text"]
        assert labels(message) == ["🔕 Silence 1 h"]
    entry = AuditEntry.objects.get(action="alerts.acknowledge")
    assert (entry.account_name, entry.changes["name"]) == ("system", "olga (1)")


def test_silence_is_for_one_hour_from_the_press(
    bot: Sandbox, told: Callable[[], None], press: Press
) -> None:
    alert = raised()
    told()
    assert press("Silence")["answer"] == "Silent for an hour: 1"
    until = fresh(alert).silenced_until
    assert until is not None
    assert timedelta(minutes=58) < until - clock.now() <= timedelta(minutes=60)
    (message,) = bot.messages(1)
    assert "🔕 Silent until" in message["text"]
    assert labels(message) == ["✅ Ack"]


def test_recheck_runs_what_raised_it(told: Callable[[], None], press: Press) -> None:
    raised("a", source="files.check_watchers")
    raised("b", source="files.check_watchers")
    raised("c", source="files.check_watchers")
    raised("d")
    told()
    assert press("Re-check")["answer"] == "It is being checked again."
    assert_enqueued("files.check_watchers", times=1)


def test_the_buttons_of_a_summary_act_on_all_of_it(
    bot: Sandbox, told: Callable[[], None], press: Press
) -> None:
    alerts = [raised(f"node-{number}") for number in range(6)]
    told()
    alert_clear(rule="node_offline", key="node-0")
    assert press("Ack")["answer"] == "Acknowledged: 5"
    assert Alert.objects.filter(acked_at=None).get() == alerts[0]
    (message,) = bot.messages(1)
    assert "✅ Acknowledged: 5" in message["text"]


def test_a_stranger_is_refused(bot: Sandbox, told: Callable[[], None], press: Press) -> None:
    alert = raised()
    told()
    found = press("Ack", from_id=666, username="mallory")
    assert found["answer"] == "This button is for the admins of this bot."
    assert fresh(alert).acked_at is None
    row = IncomingWebhook.objects.get()
    assert (row.state, row.last_error) == ("unmatched", "Not an admin; refused.")


def test_who_is_escalated_to_may_act(
    told: Callable[[], None], press: Press, settings: Settings
) -> None:
    settings.ALERT_ESCALATION_IDS = [77]
    alert = raised()
    told()
    press("Ack", from_id=77, username="boss")
    assert fresh(alert).acked_by == "boss (77)"


def test_the_same_press_that_comes_again_does_nothing(
    told: Callable[[], None], press: Press
) -> None:
    alert = raised()
    told()
    press("Ack", repeats=2)
    assert AuditEntry.objects.filter(action="alerts.acknowledge").count() == 1
    assert fresh(alert).acked_at is not None
    states = IncomingWebhook.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["processed", "duplicate", "duplicate"]


def test_a_press_about_what_is_over_says_so(
    bot: Sandbox, told: Callable[[], None], press: Press
) -> None:
    alert = raised()
    told()
    alert_clear(rule=alert.rule, key=alert.key)
    assert press("Ack")["answer"] == "It is over already."
    assert fresh(alert).acked_at is None


def test_a_button_of_something_else_is_too_old(told: Callable[[], None], press: Press) -> None:
    raised()
    told()
    Telling.objects.all().delete()
    assert press("Ack")["answer"] == "This button is too old."


def test_an_act_in_the_console_shows_in_telegram(bot: Sandbox, told: Callable[[], None]) -> None:
    alert = raised()
    told()
    alert_acknowledge(alert_id=alert.pk, by=None, name="ivan")
    work()
    assert "✅ Acknowledged: ivan" in bot.messages(1)[0]["text"]


def test_a_message_that_still_waits_is_changed_before_it_is_sent(bot: Sandbox) -> None:
    alert = raised()
    tell_run()
    alert_acknowledge(alert_id=alert.pk, by=None, name="ivan")
    work()
    row = QueuedMessage.objects.get()
    assert "ivan" in row.message
    lane_run(after_s=40)
    (message,) = bot.messages(1)
    assert "✅ Acknowledged: ivan" in message["text"]
    assert message["edited_at"] is None


def test_a_message_that_is_gone_is_left_alone(bot: Sandbox, told: Callable[[], None]) -> None:
    alert = raised()
    told()
    bot.fault(method="editMessageText", kind="status", status=400)
    alert_acknowledge(alert_id=alert.pk, by=None, name="ivan")
    work()
    assert_not_enqueued("alerts.refresh_telling")


def test_a_press_while_telegram_is_slow_is_done_once_and_answered_later(
    bot: Sandbox, told: Callable[[], None], press: Press
) -> None:
    alert = raised()
    told()
    bot.fault(method="answerCallbackQuery", kind="status", status=500, times=1)
    assert press("Ack")["answer"] in {"Acknowledged: 1", "It is over already."}
    assert fresh(alert).acked_at is not None
    assert AuditEntry.objects.filter(action="alerts.acknowledge").count() == 1


def test_without_a_secret_buttons_are_links_and_only_to_https(settings: Settings) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = ""
    alert = raised()
    telling = Telling(pk=7)
    assert buttons_of(telling, [alert]) is None
    settings.SITE_URL = "https://console.example"
    markup = buttons_of(telling, [alert])
    assert markup is not None
    ((button,),) = markup["inline_keyboard"]
    assert button["url"] == f"https://console.example/admin/alerts/alert/{alert.pk}/change/"
    settings.TELEGRAM_WEBHOOK_SECRET = SECRET
    settings.TELEGRAM_LANGUAGE = "ru"
    markup = buttons_of(telling, [alert])
    assert markup is not None
    assert [len(row) for row in markup["inline_keyboard"]] == [2, 1]
    assert markup["inline_keyboard"][0][0]["text"] == "✅ Принять"


@pytest.mark.parametrize("data", ["", "alert:ack:", "alert:delete:7", "alert:ack:7x", "x" * 64])
def test_what_is_no_press_of_ours_is_none(data: str) -> None:
    assert press_read(data) is None


def test_a_telling_that_is_gone_is_not_shown() -> None:
    assert "removed" in str(job_perform("alerts.refresh_telling", telling_id=1))


def test_a_press_acts_although_telegram_does_not_answer_us(
    bot: Sandbox, told: Callable[[], None], press: Press
) -> None:
    alert = raised()
    told()
    force("telegram", is_open=True, reason="HTTP 502")
    press("Ack")
    assert fresh(alert).acked_at is not None


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "rate_limit", "retry_after": 3}, Snooze),
        ({"kind": "status", "status": 502}, errors.OutcomeUnknown),
    ],
    ids=["asked to wait", "away"],
)
def test_what_could_not_be_shown_is_shown_later(
    bot: Sandbox, told: Callable[[], None], fault: dict[str, Any], outcome: type
) -> None:
    alert = raised()
    told()
    alert_acknowledge(alert_id=alert.pk, by=None, name="ivan")
    telling = Telling.objects.get()
    bot.fault(method="editMessageText", times=1, **fault)
    try:
        found: object = job_perform("alerts.refresh_telling", telling_id=telling.pk)
    except errors.TelegramError as exc:
        found = exc
    assert isinstance(found, outcome)
    RateBucket.objects.all().delete()
    job_perform("alerts.refresh_telling", telling_id=telling.pk)
    assert "ivan" in bot.messages(1)[0]["text"]
