"""Rounds and people who meet at the same row. Each with a control that shows the race."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from monitoring.checks import recording, services
from monitoring.checks.models import RuleState, ServiceCheck
from monitoring.checks.services import rule_change
from tests.monitoring.checks.conftest import AT, AWAY, MINUTE, record
from tests.races.parties import parties

BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])


@pytest.fixture(autouse=True)
def all_commit(committed: None) -> None:
    """A race needs two connections."""


@BOTH
def test_failures_of_two_rounds_at_once_are_both_counted(
    monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    record(AT, redis=AWAY)
    if not is_locked:

        def unlocked(names: Collection[str], at: Any) -> list[ServiceCheck]:
            return list(ServiceCheck.objects.filter(name__in=names).order_by("name"))

        monkeypatch.setattr(recording, "_locked", unlocked)
    with parties() as begin:
        first = begin(partial(record, AT + MINUTE, redis=AWAY)).wait()
        second = begin(partial(record, AT + 2 * MINUTE, redis=AWAY)).wait_blocked()
        first.commit()
        second.commit()
    assert ServiceCheck.objects.get(pk="redis").failures == (3 if is_locked else 2)


@BOTH
def test_two_people_change_a_rule_and_neither_undoes_the_other(
    monkeypatch: pytest.MonkeyPatch, is_locked: bool
) -> None:
    rule_change(name="queue_depth", by=None, threshold=1.0)
    if not is_locked:

        def unlocked(names: Collection[str]) -> list[RuleState]:
            return list(RuleState.objects.filter(name__in=names))

        monkeypatch.setattr(services, "rules_lock", unlocked)
    with parties() as begin:
        first = begin(partial(rule_change, name="queue_depth", by=None, threshold=2.0)).wait()
        hour = timedelta(hours=1)
        second = begin(partial(rule_change, name="queue_depth", by=None, cooldown=hour))
        second.wait_blocked()
        first.commit()
        second.commit()
    row = RuleState.objects.get(pk="queue_depth")
    assert (row.threshold, row.cooldown) == (2 if is_locked else 1, hour)
