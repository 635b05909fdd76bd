"""Who paid days ago and lost what was paid for since: a panel that came back from a backup."""

from datetime import datetime, timedelta

import pytest

from jobs.testing import drain, job_perform
from lib import clock
from subscriptions.access import doubts
from subscriptions.access.doubts import doubts_forget
from subscriptions.access.healing import gap_heal
from subscriptions.access.parts import Part
from subscriptions.access.scanning import panel_scan
from subscriptions.access.selectors import gaps_query
from subscriptions.models import AccessDoubt, Activation, Subscriber
from subscriptions.panel import door
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.access.ways import compare, open_kinds, served
from tests.subscriptions.buyers import ends_of, status_of

DAYS = timedelta(days=3)


def person_end(person: Subscriber) -> datetime:
    """Until when somebody has paid."""
    end = Activation.objects.get(subscriber=person).target_expire_at
    assert end is not None
    return end


def restored(panel: PanelHand, person: Subscriber) -> None:
    """The panel stands as it stood before the payment, and the mirror has followed."""
    before = clock.now() + timedelta(hours=1)
    panel.change(person.panel_id or 0, expireAt=before.isoformat())
    Subscriber.objects.filter(pk=person.pk).update(expire_at=before)


def test_days_that_were_paid_long_ago_and_got_lost_are_found_and_given_back(
    panel: PanelHand, db: None
) -> None:
    person, activation = served(panel)
    with clock.shift(DAYS):
        compare()
        assert open_kinds() == []
        restored(panel, person)
    with clock.shift(DAYS + timedelta(hours=1)):
        compare()
        assert open_kinds() == ["short"]
        gap = gaps_query().get()
        gap_heal(gap_id=gap.pk, by=None)
        drain()
        compare()
    assert open_kinds() == []
    assert (ends_of(panel, person), status_of(panel, person)) == (
        activation.target_expire_at,
        "ACTIVE",
    )


def test_a_doubt_stays_while_days_are_missing_and_goes_when_they_are_back(
    panel: PanelHand, db: None
) -> None:
    person, _ = served(panel)
    with clock.shift(DAYS):
        restored(panel, person)
        assert doubts_forget(clock.now()) == 0
        assert AccessDoubt.objects.get().subscriber_id == person.pk
        Subscriber.objects.filter(pk=person.pk).update(expire_at=person_end(person))
        assert (doubts_forget(clock.now()), doubts_forget(clock.now())) == (1, 0)
        restored(panel, person)
    with clock.shift(timedelta(days=400)):  # what was paid for is over
        assert doubts_forget(clock.now()) == 1


def test_many_doubts_are_forgotten_a_pack_at_a_time(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubts, "PACK", 2)
    people = [served(panel)[0] for _ in range(3)]
    with clock.shift(DAYS):
        for person in people:
            restored(panel, person)
        lost, *well = people
        for person in well:
            Subscriber.objects.filter(pk=person.pk).update(expire_at=person_end(person))
        assert doubts_forget(clock.now()) == 2
        assert AccessDoubt.objects.get().subscriber_id == lost.pk


def test_who_is_extended_or_edited_is_no_doubt(panel: PanelHand, db: None) -> None:
    person, _ = served(panel)
    longer = person_end(person) + DAYS
    Subscriber.objects.filter(pk=person.pk).update(expire_at=longer)
    Subscriber.objects.filter(pk=person.pk).update(expire_at=longer, note="a friend")
    assert not AccessDoubt.objects.exists()


def test_they_are_looked_for_once_an_hour(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(panel)
    noon = (clock.now() + DAYS).replace(minute=0, second=0, microsecond=0)
    wide: list[bool] = []

    def scan(now: datetime, since: datetime, *, is_wide: bool) -> Part:
        wide.append(is_wide)
        return panel_scan(now, since, is_wide=is_wide)

    monkeypatch.setattr("subscriptions.access.reconciling.panel_scan", scan)
    for minutes in (1, 6, 58, 61, 66):
        with clock.shift(noon - clock.now() + timedelta(minutes=minutes)):
            compare()
    assert wide == [True, False, False, True, False]


@pytest.mark.parametrize("job", ["payments.reconcile_access", "subscriptions.check_access"])
def test_another_person_under_the_number_is_not_taken_for_access(
    panel: PanelHand, db: None, job: str
) -> None:
    """business.md F12: the stranger is served for long; who paid is not."""
    person, activation = served(panel)
    stranger = panel.add(
        username="stranger", expireAt=(clock.now() + timedelta(days=900)).isoformat()
    )
    Subscriber.objects.filter(pk=person.pk).update(panel_id=stranger["id"], status="EXPIRED")
    before = door.panel().user(stranger["id"])
    with clock.shift(timedelta(minutes=6)):
        if job == "subscriptions.check_access":
            job_perform(job, activation_id=activation.pk)
        else:
            compare()
    assert open_kinds() == ["gone"]
    assert door.panel().user(stranger["id"]) == before
