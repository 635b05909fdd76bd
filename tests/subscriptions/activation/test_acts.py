"""The buttons: try again, lift a hold, create anew, write again."""

from datetime import timedelta

import pytest

from jobs.models import AuditEntry
from jobs.testing import drain, job_perform, jobs_of
from lib import clock
from subscriptions.activation.acts import (
    activation_reapply,
    activation_recreate,
    activation_release,
    activation_retry,
    activations_release,
)
from subscriptions.errors import ActivationNotMissing, ActivationNotOpen
from subscriptions.models import Activation
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, paid, person_make, status_of, told

KIND = "subscriptions.activate"


def held(panel: PanelHand) -> Activation:
    activation = paid(person_make(panel, status="DISABLED"))
    drain()
    activation.refresh_from_db()
    assert activation.state == "held"
    return activation


def test_a_retry_wakes_the_job_that_sleeps_in_its_ladder(panel: PanelHand, db: None) -> None:
    panel.fault(kind="status", status=503, method="users.update", times=1)
    activation = paid(person_make(panel))
    drain()
    assert jobs_of(KIND)[0].state == "scheduled"
    activation_retry(activation_id=activation.pk, by=None)
    drain()
    activation.refresh_from_db()
    assert activation.state == "applied"
    assert len(jobs_of(KIND)) == 1
    assert AuditEntry.objects.filter(action="activation.retry").exists()


def test_pressing_retry_twice_tries_once(panel: PanelHand, db: None) -> None:
    activation = held(panel)
    activation_retry(activation_id=activation.pk, by=None)
    activation_retry(activation_id=activation.pk, by=None)
    assert [job.state for job in jobs_of(KIND)].count("available") == 1
    drain()
    activation.refresh_from_db()
    assert activation.state == "held"  # a retry lifts no hold


def test_what_is_applied_is_not_tried_again(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    drain()
    with pytest.raises(ActivationNotOpen):
        activation_retry(activation_id=activation.pk, by=None)


def test_a_released_hold_gives_the_whole_period_from_now_on(panel: PanelHand, db: None) -> None:
    activation = held(panel)
    person = activation.subscriber
    assert person is not None
    with clock.shift(timedelta(days=5)):
        activation_release(activation_id=activation.pk, by=None)
        drain()
        left = ends_of(panel, person) - clock.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert status_of(panel, person) == "ACTIVE"
    assert "told_served" in person.events.values_list("kind", flat=True)


def test_only_what_is_held_is_released(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    with pytest.raises(ActivationNotOpen):
        activation_release(activation_id=activation.pk, by=None)


def test_enabling_somebody_releases_all_that_he_paid(panel: PanelHand, db: None) -> None:
    person = person_make(panel, status="DISABLED")
    paid(person)
    paid(person)
    drain()
    assert activations_release(person.pk, by=None) == 2
    drain()
    assert set(Activation.objects.values_list("state", flat=True)) == {"applied"}
    assert ends_of(panel, person) - clock.now() > timedelta(days=59)


def test_who_is_gone_is_created_again_under_his_name(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    panel.operator(person.panel_id or 0, "delete")
    activation = paid(person)
    drain()
    activation_recreate(activation_id=activation.pk, by=None)
    drain()
    person.refresh_from_db()
    [user] = panel.users()
    assert (user["id"], user["username"]) == (person.panel_id, person.username)
    activation.refresh_from_db()
    assert activation.state == "applied"
    assert len(told()) == 1


def test_who_is_there_is_not_created_again(panel: PanelHand, db: None) -> None:
    activation = held(panel)
    with pytest.raises(ActivationNotMissing):
        activation_recreate(activation_id=activation.pk, by=None)


def test_writing_it_again_restores_the_date_and_tells_nobody_twice(
    panel: PanelHand, db: None
) -> None:
    person = person_make(panel)
    activation = paid(person)
    drain()
    activation.refresh_from_db()
    panel.change(person.panel_id or 0, expireAt=clock.now().isoformat(), status="EXPIRED")
    activation_reapply(activation_id=activation.pk, by=None)
    drain()
    assert ends_of(panel, person) == activation.target_expire_at
    assert len(told()) == 1


def test_what_is_over_is_not_written_again(panel: PanelHand, db: None) -> None:
    activation = paid(person_make(panel))
    drain()
    with clock.shift(timedelta(days=60)), pytest.raises(ActivationNotOpen):
        activation_reapply(activation_id=activation.pk, by=None)


def test_a_try_beside_another_leads_to_the_same(panel: PanelHand, db: None) -> None:
    person = person_make(panel)
    before = person.expire_at
    activation = paid(person)
    job_perform(KIND, activation_id=activation.pk)
    drain()
    assert ends_of(panel, person) == before + timedelta(days=30)
    assert len(told()) == 1
