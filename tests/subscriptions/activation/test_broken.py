"""Our own code fails at any step after "paid": access and message, or a critical alert. Never silence."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.testing import drain
from lib import clock
from subscriptions.activation import creating, rows, run, serving
from subscriptions.activation.acts import activation_retry
from subscriptions.models import Activation
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import ends_of, paid, person_make, plan_make, told

# Each try comes by these.
POINTS = {"begun": run, "read": run, "dated": run, "served": run, "noted": rows}
NEW_POINTS = {"begun": run, "dated": creating, "created": creating, "noted": rows}
# A second try finds that it was done, and does not come by.
PASSED = {"patched": serving, "reset": serving}
LADDER_S = (0, 40, 200, 1000)


def break_at(patch: pytest.MonkeyPatch, module: Any, point: str) -> None:
    def fail(name: str) -> None:
        if name == f"activation.{point}":
            raise RuntimeError(f"broken at {name}")

    patch.setattr(module, "fault", fail)


def ladder_climb() -> None:
    """Let the job try as often as it may."""
    for after_s in LADDER_S:
        with clock.shift(timedelta(seconds=after_s)):
            drain(queues=["notifications"])


@pytest.mark.parametrize("point", POINTS)
def test_who_renews_is_alerted_about_and_served_once_it_is_mended(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]], point: str
) -> None:
    plan = plan_make(traffic_limit_bytes=1000)
    person = person_make(panel, plan=plan, trafficLimitBytes=1000, usedTrafficBytes=1000)
    activation = paid(person, plan)
    with pytest.MonkeyPatch.context() as patch:
        break_at(patch, POINTS[point], point)
        ladder_climb()
    activation.refresh_from_db()
    assert (activation.state, activation.reason) == ("failed", "internal")
    assert "critical" in [each["severity"] for each in alerts]
    assert len(told()) == 1  # that access comes
    activation_retry(activation_id=activation.pk, by=None)
    drain(queues=["notifications"])
    assert ends_of(panel, person) == person.expire_at + timedelta(days=30)
    assert len(told()) == 2


@pytest.mark.parametrize("point", NEW_POINTS)
def test_a_new_customer_likewise(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]], point: str
) -> None:
    activation = paid(None)
    with pytest.MonkeyPatch.context() as patch:
        break_at(patch, NEW_POINTS[point], point)
        ladder_climb()
    assert "critical" in [each["severity"] for each in alerts]
    activation_retry(activation_id=activation.pk, by=None)
    drain(queues=["notifications"])
    activation.refresh_from_db()
    assert activation.state == Activation.State.APPLIED
    assert len(panel.users()) == 1
    assert len(told()) == 2


@pytest.mark.parametrize("point", PASSED)
def test_what_was_done_is_not_done_again_by_the_next_try(
    panel: PanelHand, db: None, alerts: list[dict[str, Any]], point: str
) -> None:
    plan = plan_make(traffic_limit_bytes=1000)
    person = person_make(panel, plan=plan, trafficLimitBytes=1000, usedTrafficBytes=1000)
    paid(person, plan)
    with pytest.MonkeyPatch.context() as patch:
        break_at(patch, PASSED[point], point)
        ladder_climb()
    assert ends_of(panel, person) == person.expire_at + timedelta(days=30)
    assert alerts == []
    assert len(told()) == 1


def test_a_customer_who_was_bound_is_not_made_again(panel: PanelHand, db: None) -> None:
    activation = paid(None)
    with pytest.MonkeyPatch.context() as patch:
        break_at(patch, run, "bound")
        ladder_climb()
    activation.refresh_from_db()
    assert activation.state == Activation.State.APPLIED
    assert len(panel.users()) == len(panel.writes(call="users.create")) == 1
    assert len(told()) == 1
