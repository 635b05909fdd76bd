"""What people change of rules, and a check on demand."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued
from lib.errors import InputInvalid
from monitoring.alerts.models import Alert
from monitoring.alerts.services import alert_raise
from monitoring.checks.errors import RuleUnknown
from monitoring.checks.models import RuleState
from monitoring.checks.services import rule_change, services_check_ask


@pytest.fixture
def olga(account: Callable[..., User]) -> User:
    return account("olga")


def test_a_change_is_kept_with_who_made_it_and_audited_with_before_and_after(olga: User) -> None:
    rule_change(name="queue_depth", by=olga, threshold=2000.0, cooldown=timedelta(hours=1))
    row = RuleState.objects.get(pk="queue_depth")
    assert (row.threshold, row.cooldown, row.changed_by) == (2000, timedelta(hours=1), "olga")
    entry = AuditEntry.objects.get(action="rules.change")
    assert (entry.account_name, entry.object_id) == ("olga", "queue_depth")
    assert entry.changes == {"threshold": [None, 2000.0], "cooldown": [None, "3600 s"]}


def test_the_same_change_again_changes_nothing_and_is_not_audited(olga: User) -> None:
    for _ in range(2):
        rule_change(name="queue_depth", by=olga, threshold=2000.0)
    assert AuditEntry.objects.count() == 1


def test_what_is_not_given_stays(olga: User) -> None:
    rule_change(name="queue_depth", by=olga, threshold=2000.0)
    rule_change(name="queue_depth", by=olga, is_on=False)
    row = RuleState.objects.get(pk="queue_depth")
    assert (row.threshold, row.is_on, row.condition) == (2000, False, "off")
    rule_change(name="queue_depth", by=olga, threshold=None, is_on=True)
    row.refresh_from_db()
    assert (row.threshold, row.is_on) == (None, True)


def test_switching_a_rule_off_ends_its_alerts_but_not_those_of_another_room(olga: User) -> None:
    for rule in ("queue_depth", "node_offline"):
        alert_raise(rule=rule, key="a", severity="warning", title="a")
        rule_change(name=rule, by=olga, is_on=False)
    assert Alert.objects.get(resolved_at=None).rule == "node_offline"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("error_rate", {"threshold": 101.0}),
        ("queue_depth", {"threshold": -1.0}),
        ("queue_depth", {"threshold": float("nan")}),
        ("queue_depth", {"threshold": float("inf")}),
        ("queue_depth", {"cooldown": timedelta(days=8)}),
        ("queue_depth", {"cooldown": timedelta(seconds=-1)}),
    ],
)
def test_what_cannot_be_is_refused(olga: User, name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid, match="must be between"):
        rule_change(name=name, by=olga, **changes)
    assert not AuditEntry.objects.exists()
    row = RuleState.objects.filter(pk=name).first()
    assert row is None or (row.threshold, row.cooldown) == (None, None)


def test_a_rule_that_is_not_there_cannot_be_changed(olga: User) -> None:
    with pytest.raises(RuleUnknown):
        rule_change(name="there_is_none", by=olga, is_on=False)


def test_a_check_on_demand_is_a_job_and_audited(olga: User) -> None:
    first = services_check_ask(by=olga)
    assert services_check_ask(by=olga) == first
    assert_enqueued("monitoring.check_services")
    assert AuditEntry.objects.filter(action="services.check", account_name="olga").count() == 2
