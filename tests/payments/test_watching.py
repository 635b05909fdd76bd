"""Whether the webhook still comes."""

from datetime import timedelta

import pytest

from jobs.testing import job_perform
from lib import clock
from payments.watching import hook_watch
from tests.payments.conftest import Heard
from tests.payments.test_earning import paid
from tests.sandbox.fixture import Sandbox


def noticed(*, poll: int, webhook: int = 0, ago: timedelta = timedelta(0)) -> None:
    for number in range(poll):
        paid(number, clock.now() - ago, found_by="poll")
    for number in range(webhook):
        paid(100 + number, clock.now() - ago)


def test_payments_that_only_the_poll_finds_are_an_alarm(provider: Sandbox, heard: Heard) -> None:
    noticed(poll=3, webhook=1)
    job_perform("payments.verify_pending")
    assert heard.groups() == ["payments.webhook_off"]
    assert "3 payments were found by asking, 1 by a webhook" in heard.told[0]["text"]


@pytest.mark.parametrize(
    ("poll", "webhook", "ago"),
    [(0, 0, 0), (2, 0, 0), (3, 3, 0), (5, 90, 0), (9, 0, 2)],
    ids=["none", "too few", "half", "few of many", "long ago"],
)
def test_what_is_no_alarm(heard: Heard, poll: int, webhook: int, ago: int) -> None:
    noticed(poll=poll, webhook=webhook, ago=timedelta(hours=ago))
    hook_watch()
    assert heard.told == []
