"""The door of Telegram: its secret, its bodies; and telling Telegram where it is."""

import orjson
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.breakers import force
from jobs.outcomes import Dead, Done, Retry, Snooze
from jobs.testing import assert_enqueued, assert_not_enqueued, drain, job_perform
from payments.models import IncomingWebhook
from tests.monitoring.alerts.rows import SECRET
from tests.sandbox.fixture import Sandbox

DOOR = "/webhooks/telegram/"


def post(client: Client, body: bytes, secret: str = SECRET) -> int:
    answer = client.post(
        DOOR, body, content_type="application/json",
        headers={"X-Telegram-Bot-Api-Secret-Token": secret},
    )  # fmt: skip
    return answer.status_code


def update(number: int = 1, **payload: object) -> bytes:
    return orjson.dumps({"update_id": number, **payload})


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x", "ü" * 20])
def test_without_the_secret_the_door_is_shut(client: Client, secret: str) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
    answer = client.post(
        DOOR, update(callback_query={}), content_type="application/json", headers=headers
    )
    assert answer.status_code == 403
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid) == ("rejected", False)
    assert_not_enqueued("alerts.process_telegram")


def test_where_no_secret_is_set_nothing_is_taken(client: Client, settings: Settings) -> None:
    settings.TELEGRAM_WEBHOOK_SECRET = ""
    assert post(client, update(), secret="") == 403
    assert not IncomingWebhook.objects.exists()


def test_a_press_is_written_down_before_it_is_done(client: Client) -> None:
    assert post(client, update(7, callback_query={"id": "1"})) == 200
    row = IncomingWebhook.objects.get()
    assert (row.source, row.kind, row.event, row.state) == (
        "telegram", "update", "callback_query", "received",
    )  # fmt: skip
    assert SECRET not in str(row.headers)
    assert_enqueued("alerts.process_telegram", webhook_id=row.pk)


@pytest.mark.parametrize(
    "payload",
    [
        {"message": {"text": "/start"}},
        {"callback_query": {"id": "1"}},
        {"callback_query": {"id": "1", "from": {"id": "x"}}},
        {"callback_query": []},
    ],
)
def test_what_is_no_press_is_noted_and_left(client: Client, payload: dict[str, object]) -> None:
    assert post(client, update(1, **payload)) == 200
    drain(queues=["notifications"], limit=20)
    assert IncomingWebhook.objects.get().state == "unmatched"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"update_id": "x"}', b'"x"'])
def test_what_is_signed_but_no_update_is_refused_and_kept(client: Client, body: bytes) -> None:
    assert post(client, body) == 200
    row = IncomingWebhook.objects.get()
    assert (row.state, row.is_valid) == ("rejected", True)


def test_only_posts_are_taken(client: Client) -> None:
    assert client.get(DOOR).status_code == 405


def test_telegram_is_told_where_the_door_is(bot: Sandbox, settings: Settings) -> None:
    settings.SITE_URL = "https://console.example"
    outcome = job_perform("alerts.set_webhook")
    assert outcome == Done({"set": "https://console.example/webhooks/telegram/"})
    (call,) = [each for each in bot.requests() if each["method"] == "setWebhook"]
    assert SECRET not in str(call)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SITE_URL", "http://console.example", "not https"),
        ("TELEGRAM_WEBHOOK_SECRET", "", "is not set"),
        ("TELEGRAM_BOT_TOKEN", "", "is not set"),
    ],
)
def test_without_what_it_needs_telegram_is_not_asked(
    bot: Sandbox, settings: Settings, name: str, value: str, said: str
) -> None:
    settings.SITE_URL = "https://console.example"
    setattr(settings, name, value)
    outcome = job_perform("alerts.set_webhook")
    assert isinstance(outcome, Done)
    assert said in str(outcome)
    assert bot.requests() == []


def test_a_telegram_that_does_not_answer_is_asked_again(bot: Sandbox, settings: Settings) -> None:
    settings.SITE_URL = "https://console.example"
    bot.fault(method="setWebhook", kind="status", status=502, times=1)
    assert isinstance(job_perform("alerts.set_webhook"), Retry)
    bot.fault(method="setWebhook", kind="rate_limit", retry_after=3, times=1)
    assert isinstance(job_perform("alerts.set_webhook"), Snooze)
    settings.SITE_URL = "https://console.example:81"
    assert isinstance(job_perform("alerts.set_webhook"), Dead)
    force("telegram", is_open=True, reason="HTTP 502")
    assert isinstance(job_perform("alerts.set_webhook"), Snooze)
