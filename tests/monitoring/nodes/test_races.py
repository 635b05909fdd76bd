"""Two looks at once, and two runs that take samples: one span, one alert, one sample."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from lib import clock
from monitoring.alerts.models import Alert
from monitoring.nodes import collecting, looking
from monitoring.nodes.collecting import samples_make, slot_of
from monitoring.nodes.looking import look_apply
from monitoring.nodes.models import Node, NodeSample, NodeState
from subscriptions.panel.nodes_wire import node_read
from subscriptions.panel.types import PanelNode
from tests.races.parties import parties
from tests.races.together import run_together
from tests.subscriptions.panel import bodies

pytestmark = pytest.mark.usefixtures("committed")


def told(**changes: Any) -> tuple[PanelNode, ...]:
    return (node_read({**bodies.NODE, "lastStatusChange": None, **changes}),)


DOWN = {"isConnected": False, "system": None, "versions": None, "usersOnline": 0}


@pytest.fixture
def known(committed: None) -> Node:
    """A server that was seen a minute ago."""
    look_apply(told(), clock.now() - timedelta(minutes=1))
    return Node.objects.get()


def both_lose() -> None:
    """A second look begins while the first has written and not committed yet."""
    now = clock.now()
    with parties() as begin:
        first = begin(lambda: look_apply(told(**DOWN), now)).wait()
        second = begin(lambda: look_apply(told(**DOWN), now + timedelta(seconds=1))).wait_blocked()
        first.commit()
        second.commit()


def spans() -> list[str]:
    return list(NodeState.objects.order_by("pk").values_list("health", flat=True))


def test_two_looks_at_a_lost_server_are_one_span_and_one_alert(known: Node) -> None:
    both_lose()
    assert spans() == ["online", "offline"]
    assert Alert.objects.filter(rule="node_offline").count() == 1


def test_without_the_turn_of_looks_there_would_be_two(
    known: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: who reads before the other has committed takes the same change for his own."""
    monkeypatch.setattr(looking, "_LOCK", "SELECT 1")
    both_lose()
    assert spans() == ["online", "offline", "offline"]


def test_two_runs_in_a_slot_are_one_sample(known: Node) -> None:
    at = clock.now()
    bandwidth = SimpleNamespace(days=(at.date(),), nodes=())
    samples = samples_make(told(), bandwidth, {}, at)  # type: ignore[arg-type]
    run_together([lambda: collecting._write(samples, slot_of(at), at)] * 4)
    assert NodeSample.objects.count() == 1
