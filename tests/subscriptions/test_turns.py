"""One at a time changes a subscriber in the panel: without it, two who add to an end lose one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from jobs import sql
from jobs.outcomes import Done, Snooze
from jobs.testing import job_perform
from subscriptions import services
from subscriptions.activation import run
from subscriptions.models import SubscriberTurn
from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import PanelUser
from subscriptions.turns import TurnTaken, turn
from tests.races.together import in_thread
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, paid, person_make, row_make

NOW = timedelta(0)
ACTIVATE = "subscriptions.activate"


def test_a_turn_is_held_by_one(db: None) -> None:
    person, other = row_make(1), row_make(2)
    with turn(person.pk), turn(other.pk):
        for in_line in (False, True):
            with pytest.raises(TurnTaken), turn(person.pk, in_line=in_line, patience=NOW):
                pass
    with turn(person.pk, patience=NOW):
        pass
    assert not SubscriberTurn.objects.exists()


def test_a_turn_is_given_back_by_who_fails(db: None) -> None:
    person = row_make(1)
    with pytest.raises(ZeroDivisionError), turn(person.pk):
        raise ZeroDivisionError
    assert not SubscriberTurn.objects.exists()


def test_a_turn_of_somebody_dead_lapses(db: None) -> None:
    person = row_make(1)
    with turn(person.pk):
        sql.run("UPDATE subscriber_turn SET until = clock_timestamp()")
        with turn(person.pk, patience=NOW):
            pass


def test_the_next_job_of_the_line_takes_over_at_once(db: None) -> None:
    person = row_make(1)
    with turn(person.pk, in_line=True), turn(person.pk, in_line=True, patience=NOW):
        pass


def test_an_activation_waits_unspent_while_somebody_acts(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscriptions.turns.PATIENCE", NOW)
    person = person_make(panel)
    activation = paid(person)
    with turn(person.pk):
        assert isinstance(job_perform(ACTIVATE, activation_id=activation.pk), Snooze)
    assert isinstance(job_perform(ACTIVATE, activation_id=activation.pk), Done)


@contextmanager
def no_turn(_: int, **__: object) -> Iterator[None]:
    yield


@pytest.mark.parametrize(("taken", "days"), [(True, 37), (False, 30)], ids=["turns", "control"])
def test_who_is_extended_while_a_payment_is_activated_gets_both(
    panel: PanelHand,
    committed: None,
    monkeypatch: pytest.MonkeyPatch,
    taken: bool,
    days: int,
) -> None:
    """Staff extends between the moment in which the activation reads the end, and that in which it writes."""
    person = person_make(panel)
    activation = paid(person)
    real, refused = PanelClient.user_update, list[bool]()
    monkeypatch.setattr("subscriptions.turns.PATIENCE", NOW)
    if not taken:
        monkeypatch.setattr(run, "turn", no_turn)
        monkeypatch.setattr(services, "turn", no_turn)
        monkeypatch.setattr(services, "targets_open", lambda _: {})

    def meanwhile(client: PanelClient, panel_id: int, **fields: object) -> PanelUser:
        monkeypatch.setattr(PanelClient, "user_update", real)
        try:
            in_thread(_extend)
        except TurnTaken:
            refused.append(True)
        return real(client, panel_id, **fields)  # type: ignore[arg-type]

    def _extend() -> None:
        services.subscriber_extend(subscriber_id=person.pk, days=7, by=None)

    monkeypatch.setattr(PanelClient, "user_update", meanwhile)
    job_perform(ACTIVATE, activation_id=activation.pk)
    if refused:  # told to try again in a moment, and does
        _extend()
    assert ends_of(panel, person) == person.expire_at + timedelta(days=days)
