"""Eight days in the life of four people, with the clocks of the site and of the panel moved together."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from jobs.models import AuditEntry
from jobs.testing import drain, job_perform
from lib import clock
from notifications.telegram.models import QueuedMessage
from subscriptions.models import Notice, Subscriber
from tests.sandbox.fixture import Sandbox
from tests.subscriptions.lifecycle.people import People

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The end comes after 173 hours; each bracket is met at its beginning, in its middle, near its end.
HOURS = (0, 4, 6, 30, 96, 102, 120, 148, 150, 166, 168, 172, 174, 175, 190)
EVERY = ("subscription_expiring_7d", "subscription_expiring_3d", "subscription_expiring_24h",
    "subscription_expiring_6h", "subscription_expired")  # fmt: skip


@pytest.fixture
def panel_time(panel_on: Sandbox) -> Iterator[Sandbox]:
    """The panel's own clock and sweep; afterwards its time is that of everybody."""
    panel_on.panel.settings(expiry_every_s=30)
    yield panel_on
    panel_on.clock_set(0)


def told(row: Subscriber) -> Counter[str]:
    found = QueuedMessage.objects.filter(telegram_id=row.telegram_id or 0)
    return Counter(found.values_list("notification_type", flat=True))


def test_everybody_hears_each_stage_once_and_who_paid_hears_no_more(
    people: People, panel_time: Sandbox
) -> None:
    leaves, pays, silent, later = (
        people.make(7 * DAY + 5 * HOUR),
        people.make(7 * DAY + 5 * HOUR),
        people.make(7 * DAY + 5 * HOUR, telegram_id=None),
        people.make(20 * DAY),
    )
    for hours in HOURS:
        panel_time.clock_set(hours * 3600.0)
        with clock.shift(timedelta(hours=hours)):
            if hours == 5 * 24:  # paid, and the mirror has not heard of it
                people.panel.change(
                    pays.panel_id or 0, expireAt=(clock.now() + 30 * DAY).isoformat()
                )
            for kind in ("subscriptions.remind_expiring", "subscriptions.disable_expired"):
                job_perform(kind)
            drain(queues=["notifications"])
    assert told(leaves) == Counter(EVERY)
    assert told(pays) == Counter(EVERY[:2])
    assert told(later) == Counter()
    assert people.status(leaves) == people.status(silent) == "EXPIRED"
    assert people.status(pays) == people.status(later) == "ACTIVE"
    assert people.panel.writes() == []  # the panel ended them by itself
    fates = Counter(Notice.objects.filter(subscriber=silent).values_list("reason", flat=True))
    assert fates == {"no_telegram": 5}
    audited = AuditEntry.objects.filter(action="subscriptions.expired")
    assert sorted(audited.values_list("object_id", flat=True)) == sorted(
        [str(leaves.pk), str(silent.pk)]
    )
    assert not Notice.objects.filter(state="due").exists()
