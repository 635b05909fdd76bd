"""What staff do to servers: through the panel of the sandbox, audited, and refused where it must be."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from jobs.models import AuditEntry
from jobs.outcomes import Cancel, Retry
from jobs.testing import assert_enqueued, drain, job_perform, jobs_of
from lib import clock
from lib.errors import DomainError, InputInvalid
from monitoring.alerts.models import Alert, Silence
from monitoring.nodes import acts
from monitoring.nodes.bulk import nodes_bulk
from monitoring.nodes.errors import CostInvalid, NodeDisabled, NodeGone, NodeUnknown, PanelSilent
from monitoring.nodes.models import Node, NodeState
from monitoring.nodes.screens.listing import NodeFilter
from subscriptions.panel import door
from tests.monitoring.nodes.rows import (
    DE,
    FI,
    HOUR,
    NL,
    healths,
    look,
    node,
    node_delete,
    node_make,
    opened,
)
from tests.sandbox.remnawave.hand import PanelHand


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create(username="olga")


def audited() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("account_name", "action"))


def state_of(panel: PanelHand, key: Any) -> tuple[bool, bool, bool]:
    (found,) = [each for each in panel.nodes() if each["uuid"] == str(key)]
    return found["isConnected"], found["isConnecting"], found["isDisabled"]


def test_a_disabled_server_is_shown_so_at_once(panel: PanelHand, olga: User) -> None:
    look()
    acts.node_disable(node_id=NL, by=olga, reason="Move to another rack")
    assert state_of(panel, NL) == (False, False, True)
    assert (node().health, healths()) == ("maintenance", ["online", "maintenance"])
    span = NodeState.objects.get(node=NL, ended_at=None)
    assert span.reason == "disabled by olga: Move to another rack"
    assert audited() == [("olga", "nodes.disable")]
    assert_enqueued("monitoring.check_nodes")


def test_enabling_lets_it_serve_again(panel: PanelHand, olga: User) -> None:
    look()
    acts.node_enable(node_id=FI, by=olga)
    assert state_of(panel, FI) == (False, True, False)
    assert node(FI).seen_health == "warning"
    assert opened(FI) == []


@pytest.mark.parametrize(("act", "key"), [(acts.node_enable, NL), (acts.node_disable, FI)])
def test_a_repeat_changes_nothing(panel: PanelHand, olga: User, act: Any, key: Any) -> None:
    look()
    before = node(key).health
    act(node_id=key, by=olga)
    assert node(key).health == before
    assert len(healths(key)) == 1


def test_disabling_resolves_the_alert(panel: PanelHand, olga: User) -> None:
    panel.node(str(NL), state="down")
    look()
    assert opened() == ["node_offline"]
    acts.node_disable(node_id=NL, by=olga)
    assert opened() == []


def test_a_restart_is_asked_of_the_panel(panel: PanelHand, olga: User) -> None:
    look()
    acts.node_restart(node_id=NL, by=olga, reason="It hangs")
    assert state_of(panel, NL) == (False, True, False)
    assert audited() == [("olga", "nodes.restart")]
    assert jobs_of("monitoring.check_nodes")[-1].run_at > clock.now()


def test_a_disabled_server_is_not_restarted(panel: PanelHand, olga: User) -> None:
    look()
    with pytest.raises(NodeDisabled):
        acts.node_restart(node_id=FI, by=olga)
    assert audited() == []


def test_what_the_panel_refuses_is_told_in_its_words(panel: PanelHand, olga: User) -> None:
    look()
    panel.node(str(NL), state="disabled")  # and we do not know it yet
    with pytest.raises(DomainError, match="refused"):
        acts.node_restart(node_id=NL, by=olga)


@pytest.mark.parametrize("kind", ["status", "cut_after"])
def test_a_panel_that_is_away_changes_nothing(panel: PanelHand, olga: User, kind: str) -> None:
    look()
    panel.fault(kind=kind, status=503, times=3)
    with pytest.raises(PanelSilent):
        acts.node_disable(node_id=NL, by=olga)
    assert (node().health, audited()) == ("online", [])


def test_without_a_panel_it_is_said(settings: Settings, olga: User) -> None:
    settings.REMNAWAVE_URL = ""
    door.clients_forget()
    row = node_make()
    with pytest.raises(PanelSilent, match="REMNAWAVE_URL"):
        acts.node_disable(node_id=row.pk, by=olga)


def test_a_server_that_is_gone_is_left_alone(panel: PanelHand, olga: User) -> None:
    look()
    node_delete(NL)
    with pytest.raises(NodeGone):
        acts.node_disable(node_id=NL, by=olga)
    look(HOUR)
    with pytest.raises(NodeGone, match="no longer"):
        acts.node_enable(node_id=NL, by=olga)
    with pytest.raises(NodeUnknown):
        acts.node_enable(node_id=UUID(int=77), by=olga)


def test_a_reason_has_an_end(panel: PanelHand, olga: User) -> None:
    look()
    with pytest.raises(InputInvalid):
        acts.node_disable(node_id=NL, by=olga, reason="x" * 201)
    assert state_of(panel, NL)[0]


def test_a_check_is_one_look_for_all(olga: User) -> None:
    row = node_make()
    acts.nodes_check(by=olga)
    acts.nodes_check(by=olga, node_id=row.pk)
    assert_enqueued("monitoring.check_nodes", times=1)
    assert audited() == [("olga", "nodes.check")] * 2


def test_a_silence_tells_nobody_of_any_rule_of_the_server(panel: PanelHand, olga: User) -> None:
    look()
    acts.node_silence(node_id=NL, span=HOUR, by=olga, reason="Planned")
    found = Silence.objects.get()
    assert (found.rule, found.key, found.reason) == ("*", str(NL), "Planned")
    panel.node(str(NL), state="down")
    look()
    assert Alert.objects.get(key=str(NL)).silenced_until is not None
    for span in (timedelta(0), timedelta(days=31)):
        with pytest.raises(InputInvalid):
            acts.node_silence(node_id=NL, span=span, by=olga)


def test_what_only_we_know_is_edited(olga: User) -> None:
    row = node_make()
    given = {"note": " until May ", "monthly_cost": Decimal("12.50"), "cost_currency": "eur"}
    for _ in range(2):
        acts.node_edit(node_id=row.pk, by=olga, **given)  # type: ignore[arg-type]
    row.refresh_from_db()
    assert (row.note, row.monthly_cost, row.cost_currency) == ("until May", Decimal("12.50"), "EUR")
    assert audited() == [("olga", "nodes.edit")]
    acts.node_edit(node_id=row.pk, by=olga, note="", monthly_cost=None, cost_currency="EUR")
    row.refresh_from_db()
    assert (row.note, row.monthly_cost, row.cost_currency) == ("", None, "")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"monthly_cost": Decimal(-1)}, CostInvalid),
        ({"monthly_cost": Decimal(5), "cost_currency": "E1"}, CostInvalid),
        ({"note": "x" * 4001}, InputInvalid),
    ],
)
def test_what_makes_no_sense_is_refused(
    olga: User, changes: dict[str, Any], error: type[DomainError]
) -> None:
    row = node_make()
    given = {"note": "", "monthly_cost": None, "cost_currency": "EUR", **changes}
    with pytest.raises(error):
        acts.node_edit(node_id=row.pk, by=olga, **given)
    assert audited() == []


def test_a_dry_run_counts_and_does_nothing(panel: PanelHand, olga: User) -> None:
    look()
    found = nodes_bulk(where=NodeFilter(ids=(NL, DE, FI)), action="disable", by=olga)
    assert (found.matched, found.done, found.dry_run) == (3, 0, True)
    assert found.states == {"online": 1, "connecting": 1, "maintenance": 1}
    assert not jobs_of("monitoring.operate_node")


def test_many_are_done_by_a_job_each_in_the_name_of_who_ordered_it(
    panel: PanelHand, olga: User
) -> None:
    look()
    found = nodes_bulk(
        where=NodeFilter(ids=(NL, DE, FI)), action="disable", by=olga, dry_run=False, reason="Night"
    )
    assert (found.done, list(found.refused)) == (2, [FI])
    drain()
    assert {row.health for row in Node.objects.all()} == {"maintenance"}
    assert audited() == [
        ("olga", "nodes.bulk_disable"), ("olga", "nodes.disable"), ("olga", "nodes.disable"),
    ]  # fmt: skip


def test_many_are_silenced_and_checked(panel: PanelHand, olga: User) -> None:
    look()
    both = NodeFilter(ids=(NL, FI))
    assert nodes_bulk(where=both, action="silence", by=olga, dry_run=False, hours=4).done == 2
    assert Silence.objects.count() == 2
    assert nodes_bulk(where=both, action="check", by=olga, dry_run=False).done == 2
    with pytest.raises(InputInvalid):
        nodes_bulk(where=both, action="explode", by=olga)


def test_a_limit_says_that_there_are_more(olga: User) -> None:
    for number in range(1, 4):
        node_make(number)
    found = nodes_bulk(where=NodeFilter(), action="check", by=olga, limit=2)
    assert (found.matched, found.more) == (2, True)


def test_an_ordered_act_tries_again_while_the_panel_is_away(panel: PanelHand) -> None:
    look()
    panel.fault(kind="status", status=503, times=3)
    args = {"node_id": str(NL), "action": "disable"}
    assert isinstance(job_perform("monitoring.operate_node", **args), Retry)


def test_an_ordered_act_that_is_not_possible_any_more_is_left(panel: PanelHand) -> None:
    look()
    args = {"node_id": str(FI), "action": "restart"}
    assert isinstance(job_perform("monitoring.operate_node", **args), Cancel)
