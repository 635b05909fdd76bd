"""Drift: what the panel emptied is shown, not taken over; a person decides."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from subscriptions.mirror import owners
from subscriptions.mirror.owners import OURS, Owner, owner_of
from subscriptions.mirror.settling import (
    DriftNotSo,
    DriftSettled,
    DriftUnknown,
    drift_settle,
    hold_release,
)
from subscriptions.models import Drift, Subscriber
from subscriptions.panel.client import PanelClient
from subscriptions.panel.stored import StoredContract
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.mirror.helping import make, perform, story, versions, whole_pass


def test_every_column_has_an_owner() -> None:
    columns = {field.name for field in Subscriber._meta.concrete_fields}
    assert columns == set(owners.NAMES) | OURS
    assert not set(owners.NAMES) & OURS
    assert owner_of("note") is Owner.US
    assert owner_of("telegram_id") is Owner.GUARDED
    with pytest.raises(KeyError):
        owner_of("nothing")


@pytest.fixture
def emptied(panel: PanelHand, client: PanelClient) -> Drift:
    """The panel lost the Telegram account of user 1."""
    panel.seed(1)
    whole_pass(client)
    panel.change(1, telegramId=None, tag="SEEN")
    whole_pass(client)
    return Drift.objects.get()


def test_what_the_panel_emptied_is_shown_and_ours_stays(emptied: Drift) -> None:
    row = Subscriber.objects.get()
    assert (row.telegram_id, row.tag) == (500_000_001, "SEEN")
    assert (emptied.field, emptied.ours, emptied.theirs) == ("telegram_id", 500_000_001, None)
    assert (emptied.owner, emptied.resolved_at) == ("us", None)


def test_it_is_shown_once_and_costs_no_write_again(
    emptied: Drift, panel: PanelHand, client: PanelClient
) -> None:
    before = versions()
    whole_pass(client)
    assert (versions(), Drift.objects.count()) == (before, 1)


def test_it_passes_when_the_panel_agrees_again(
    emptied: Drift, panel: PanelHand, client: PanelClient
) -> None:
    panel.change(1, telegramId=500_000_001)
    whole_pass(client)
    emptied.refresh_from_db()
    assert emptied.resolution == "passed"


def test_another_value_is_taken_over_and_settles_it(
    emptied: Drift, panel: PanelHand, client: PanelClient
) -> None:
    panel.change(1, telegramId=7)
    whole_pass(client)
    emptied.refresh_from_db()
    assert (emptied.resolution, Subscriber.objects.get().telegram_id) == ("theirs", 7)


def test_theirs_is_taken_over(emptied: Drift, admin_user: User) -> None:
    assert drift_settle(drift_id=emptied.pk, how="theirs", by=admin_user)
    emptied.refresh_from_db()
    assert (emptied.resolution, emptied.resolved_by) == ("theirs", "admin")
    assert Subscriber.objects.get().telegram_id is None
    assert AuditEntry.objects.get().action == "drift.settle"
    assert "drift_settled" in story(Subscriber.objects.get().username)
    with pytest.raises(DriftSettled):
        drift_settle(drift_id=emptied.pk, how="theirs", by=admin_user)


def test_ours_is_written_to_the_panel(
    emptied: Drift, panel: PanelHand, client: PanelClient, admin_user: User
) -> None:
    assert not drift_settle(drift_id=emptied.pk, how="ours", by=admin_user)
    emptied.refresh_from_db()
    assert emptied.resolved_at is None  # not before the panel has it
    args: dict[str, Any] = {"drift_id": emptied.pk, "how": "ours", "by_id": admin_user.pk}
    assert perform("subscriptions.settle_drift", **args) == {"settled": True}
    assert panel.user(1)["telegramId"] == 500_000_001
    emptied.refresh_from_db()
    assert emptied.resolution == "ours"
    assert perform("subscriptions.settle_drift", **args) == {"settled": False}


def test_what_is_ignored_is_not_shown_again_while_it_stays_so(
    emptied: Drift, panel: PanelHand, client: PanelClient, admin_user: User
) -> None:
    drift_settle(drift_id=emptied.pk, how="ignored", by=admin_user)
    whole_pass(client)
    assert Drift.objects.filter(resolved_at=None).count() == 0


def test_a_link_cannot_be_given_to_the_panel(admin_user: User) -> None:
    row = make(1)
    drift = Drift.objects.create(subscriber=row, field="subscription_url", owner="us", ours="x")
    with pytest.raises(DriftNotSo, match="subscription url"):
        drift_settle(drift_id=drift.pk, how="ours", by=admin_user)
    with pytest.raises(DriftNotSo, match="one of"):
        drift_settle(drift_id=drift.pk, how="perhaps", by=admin_user)
    with pytest.raises(DriftUnknown):
        drift_settle(drift_id=0, how="ours", by=admin_user)
    assert drift_settle(drift_id=drift.pk, how="theirs", by=admin_user)
    row.refresh_from_db()
    assert row.subscription_url == ""


def test_an_identity_is_bound_as_a_person_says(
    panel: PanelHand, client: PanelClient, admin_user: User
) -> None:
    panel.add(username="ivan", telegramId=5, expireInSeconds=3600)
    row = make(None, username="ivan", telegram_id=6)
    whole_pass(client)
    drift = Drift.objects.get()
    assert not drift_settle(drift_id=drift.pk, how="theirs", by=admin_user)
    perform("subscriptions.settle_drift", drift_id=drift.pk, how="theirs", by_id=admin_user.pk)
    row.refresh_from_db()
    drift.refresh_from_db()
    assert (row.panel_id, row.telegram_id) == (1, 5)
    assert (drift.resolution, drift.resolved_by) == ("theirs", "admin")


def test_a_person_lets_writes_go_on_and_is_noted(admin_user: User) -> None:
    contract = StoredContract()
    contract.differs("user.tag is missing")
    assert hold_release(by=admin_user, reason="known, harmless")
    assert not hold_release(by=admin_user)
    assert StoredContract().held() is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.changes["reason"]) == ("panel.release", "known, harmless")
