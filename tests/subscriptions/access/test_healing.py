"""A gap is healed, or put away; what cannot be healed hides nobody else."""

from datetime import timedelta

import pytest

from jobs.testing import assert_enqueued, drain
from lib import clock
from lib.errors import InputInvalid, NotFound
from payments.models import Payment, State
from subscriptions.access.gaps import Found, GapKind, gaps_open
from subscriptions.access.healing import gap_dismiss, gap_heal, gaps_heal
from subscriptions.access.selectors import gaps_query
from subscriptions.errors import GapClosed
from subscriptions.models import Activation, Subscriber
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.access.ways import compare, jobs_lose, open_kinds, served
from tests.subscriptions.buyers import (
    ends_of,
    order_open,
    paid,
    person_make,
    row_make,
    status_of,
    told,
)

LATER = timedelta(minutes=6)


def test_heal_writes_the_paid_date_again_and_the_gap_closes(panel: PanelHand, db: None) -> None:
    person, activation = served(panel)
    panel.change(person.panel_id or 0, expireAt=(clock.now() + timedelta(days=1)).isoformat())
    Subscriber.objects.update(expire_at=clock.now() + timedelta(days=1))
    compare()
    gap = gaps_query().get()
    assert gap_heal(gap_id=gap.pk, by=None) == "Write the paid date again"
    drain()
    assert ends_of(panel, person) == activation.target_expire_at
    gap.refresh_from_db()
    assert gap.healed_at is not None
    assert len(told()) == 1
    with pytest.raises(GapClosed):
        gap_heal(gap_id=gap.pk, by=None)


@pytest.mark.parametrize(
    ("state", "reason", "remedy"),
    [
        ("failed", "away", "Try again"),
        ("held", "disabled", "Lift the hold"),
        ("pending", "", "Try now"),
    ],
)
def test_heal_does_what_each_kind_needs(
    panel: PanelHand, db: None, state: str, reason: str, remedy: str
) -> None:
    activation = paid(person_make(panel))
    jobs_lose()
    Activation.objects.update(state=state, reason=reason)
    with clock.shift(timedelta(seconds=70)):  # too early for anything by itself
        compare()
        assert gap_heal(gap_id=gaps_query().get().pk, by=None) == remedy
        drain()
    activation.refresh_from_db()
    assert activation.state == "applied"
    assert open_kinds() == []


def test_heal_creates_who_is_gone_again(panel: PanelHand, db: None) -> None:
    person, _ = served(panel)
    panel.operator(person.panel_id or 0, "delete")
    Subscriber.objects.update(missing_since=clock.now())
    compare()
    assert open_kinds() == ["gone"]
    gap_heal(gap_id=gaps_query().get().pk, by=None)
    drain()
    person.refresh_from_db()
    assert status_of(panel, person) == "ACTIVE"
    assert person.missing_since is None
    assert open_kinds() == []


def test_what_was_dismissed_does_not_come_back(panel: PanelHand, db: None) -> None:
    person, _ = served(panel)
    panel.operator(person.panel_id or 0, "disable")
    Subscriber.objects.update(status="DISABLED", cut_by="panel")
    compare()
    gap = gaps_query().get()
    with pytest.raises(InputInvalid):
        gap_dismiss(gap_id=gap.pk, note=" ", by=None)
    gap_dismiss(gap_id=gap.pk, note="he asked for it", by=None)
    assert compare()["opened"] == 0
    assert gaps_query(is_open=False).get().ending == "dismissed"


def test_many_are_healed_and_refusals_are_told(panel: PanelHand, db: None) -> None:
    payment = order_open(person_make(panel))
    Payment.objects.filter(pk=payment.pk).update(
        state=State.COMPLETED, paid_at=clock.now(), completed_at=clock.now()
    )
    gaps_open([Found(payment.pk, GapKind.LEDGER_AHEAD), Found(payment.pk, GapKind.NO_ACTIVATION)])
    healed, refused = gaps_heal(gap_ids=[gap.pk for gap in gaps_query()] + [10**9], by=None)
    assert healed == 1
    assert len(refused) == 2
    assert_enqueued("subscriptions.activate")
    with pytest.raises(NotFound):
        gap_heal(gap_id=10**9, by=None)


def test_those_that_fail_again_and_again_hold_up_nobody(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.access.healing.RESUME_MOST", 2)
    for number in range(1, 4):  # poison in front
        paid(row_make(10**6 + number))
    last = paid(person_make(panel))
    jobs_lose()
    Activation.objects.exclude(pk=last.pk).update(state="failed", reason="away", attempts=8)
    with clock.shift(LATER):
        compare()
        drain()
    last.refresh_from_db()
    assert last.state == "applied"


def test_gaps_that_stay_hide_nobody_from_the_panel(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.access.scanning.PANEL_MOST", 1)
    people = [served(panel)[0] for _ in range(3)]
    soon = clock.now() + timedelta(days=1)
    for person in people:
        panel.change(person.panel_id or 0, expireAt=soon.isoformat())
    Subscriber.objects.update(expire_at=soon)
    for expected in (1, 2, 3):
        compare()
        assert open_kinds() == ["short"] * expected
    for gap in gaps_query():
        gap_heal(gap_id=gap.pk, by=None)
    drain()
    assert open_kinds() == []
