"""Trying with a few first: the rest is told only if that went well, or a person says so."""

import pytest

from jobs.testing import drain
from notifications.broadcasts.models import LedgerRow, Phase, Status
from notifications.broadcasts.services import broadcast_resume, broadcast_send_now
from tests.notifications.broadcasts.rows import adds_up, broadcast_make, fates, people_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_canary_that_goes_well_is_followed_by_everybody(bot: Sandbox) -> None:
    people_make(200, telegram=True)
    row = broadcast_make(channels=["telegram", "inbox"], canary_percent=10)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.phase) == (Status.SENT, 400, Phase.NONE)
    canary = LedgerRow.objects.filter(is_canary=True)
    assert (canary.filter(channel="inbox").count(), canary.filter(channel="telegram").count()) == (
        20,
        20,
    )
    assert len(bot.messages()) == 200


def test_a_canary_that_fails_pauses_and_nobody_else_is_told_until_a_person_says_so(
    bot: Sandbox,
) -> None:
    people_make(100, telegram=True)
    bot.behave(range(1001, 1101), "blocked")
    row = broadcast_make(channels=["telegram"], canary_percent=1)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.phase, row.failed, row.open) == (Status.PAUSED, Phase.CANARY, 10, 90)
    assert row.paused_reason == "canary: 10 of 10 did not get it (blocked 10)"

    bot.behave(range(1001, 1101), "ok")
    broadcast_resume(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent, row.failed) == (Status.SENT, 90, 10)


def test_as_many_errors_as_were_allowed_do_not_stop_it(bot: Sandbox) -> None:
    people_make(40, telegram=True)
    bot.behave(range(1001, 1041, 4), "blocked")
    row = broadcast_make(channels=["telegram"], canary_percent=50, canary_max_errors=100)
    broadcast_send_now(broadcast_id=row.pk, by=None)
    drain()
    row = adds_up(row.pk)
    assert (row.status, row.sent) == (Status.SENT, 30)
    assert fates(row.pk)["telegram", "failed", "blocked"] == 10
