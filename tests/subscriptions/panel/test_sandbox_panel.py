"""The client against a whole panel, of each dialect: what it says of itself must come true there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from subscriptions.panel import errors
from subscriptions.panel.client import PanelClient
from subscriptions.panel.types import PanelStatus, PanelUser, TrafficStrategy
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["3", "2.8", "2.7"])
def panel(request: pytest.FixtureRequest, sandbox: Sandbox) -> PanelHand:
    sandbox.panel.dialect(request.param)
    return sandbox.panel


@pytest.fixture
def client(sandbox: Sandbox, panel: PanelHand) -> Iterator[PanelClient]:
    client = PanelClient(sandbox.panel_url, "a-token", read_timeout_s=5)
    yield client
    client.close()


def is_disabled(user: PanelUser) -> bool:
    return user.status is PanelStatus.DISABLED


def settled(sandbox: Sandbox, client: PanelClient, ids: list[int]) -> bool:
    """Whether the panel has worked off what it was asked for."""
    return client.bulk_check(ids, is_disabled).is_settled


def test_one_user_is_changed_and_read_back(panel: PanelHand, client: PanelClient) -> None:
    made = client.user_create("new_one", expire_at=LATER, telegram_id=77, tag="PRO")
    changed = client.user_update(
        made.id,
        expire_at=LATER + timedelta(days=30),
        traffic_limit_bytes=5,
        traffic_strategy=TrafficStrategy.MONTH,
        tag=None,
    )
    assert (changed.expire_at, changed.tag) == (LATER + timedelta(days=30), None)
    assert client.user(made.id) == changed
    assert client.user_by_username("new_one") == changed
    assert client.user_by_short_uuid(changed.short_uuid) == changed
    assert client.users_by_telegram_id(77) == (changed,)
    assert client.user_disable(made.id).status is PanelStatus.DISABLED
    assert client.user_disable(made.id).status is PanelStatus.DISABLED
    assert client.user_enable(made.id).status is PanelStatus.ACTIVE
    assert client.user_reset_traffic(made.id).used_bytes == 0
    assert client.user_revoke(made.id).short_uuid != changed.short_uuid
    assert (client.user_delete(made.id), client.user_delete(made.id)) == (True, False)
    with pytest.raises(errors.PanelMissing):
        client.user(made.id)


def test_a_name_is_given_once(panel: PanelHand, client: PanelClient) -> None:
    client.user_create("only_one", expire_at=LATER)
    with pytest.raises(errors.PanelRefused) as caught:
        client.user_create("only_one", expire_at=LATER)
    assert caught.value.code == "A019"


def test_who_expired_is_revived_by_a_date_and_an_operators_no_is_not(
    panel: PanelHand, client: PanelClient
) -> None:
    """What the life cycle relies on (contract, section 4)."""
    panel.seed(2, expires_from_s=-86_400, expires_to_s=-3600)
    panel.operator(2, "disable")
    assert client.user(1).status is PanelStatus.EXPIRED
    assert client.user_update(1, status=PanelStatus.DISABLED).status is PanelStatus.EXPIRED
    assert client.user_update(1, expire_at=LATER).status is PanelStatus.ACTIVE
    assert client.user_update(2, expire_at=LATER).status is PanelStatus.DISABLED
    assert client.user_update(2, status=PanelStatus.ACTIVE).status is PanelStatus.ACTIVE


def test_a_bulk_call_is_believed_when_it_was_read_back(
    sandbox: Sandbox, panel: PanelHand, client: PanelClient
) -> None:
    panel.settings(bulk_delay_s=0.05, bulk_fail_ids=[3])
    ids = [*panel.seed(5, expires_from_s=3600), 999]
    client.bulk_disable(ids)
    sandbox.wait_for(lambda: len(client.bulk_check(ids, is_disabled).done) == 4)
    check = client.bulk_check(ids, is_disabled)
    assert (check.pending, check.missing) == (frozenset([3]), frozenset([999]))


def test_a_write_that_was_cut_off_may_have_been_done(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(1)
    client.user(1)
    panel.fault(kind="cut_after", method="users.update", times=1)
    with pytest.raises(errors.PanelUnknown):
        client.user_update(1, expire_at=LATER)
    assert client.user(1).expire_at == LATER
    assert len(panel.writes(call="users.update")) == 1  # the client did not try again


@pytest.mark.parametrize(
    ("state", "status"), [("unknown", 401), ("deleted", 403)], ids=["unknown", "deleted"]
)
def test_a_token_that_is_refused_is_told_apart_from_everything_else(
    panel: PanelHand, client: PanelClient, state: str, status: int
) -> None:
    panel.seed(1)
    client.user(1)
    panel.token("a-token", state)
    with pytest.raises(errors.PanelDenied) as caught:
        client.user(1)
    assert caught.value.status == status


def test_a_panel_behind_a_proxy_only_wants_its_headers(
    sandbox: Sandbox, panel: PanelHand, client: PanelClient
) -> None:
    panel.settings(requires_proxy_headers=True)
    assert client.nodes()
    with pytest.raises(errors.PanelAway):
        PanelClient(sandbox.panel_url, "a-token", has_proxy_headers=False).nodes()


def test_nodes_and_figures_are_read(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(10)
    nodes = client.nodes()
    assert client.node(nodes[0].uuid).name == nodes[0].name
    assert client.system_stats().users_total == 10
    today = client.user(1).created_at.date()
    assert len(client.bandwidth(today, today).days) == 1
    disabled = client.node_disable(nodes[0].uuid)
    assert disabled.is_disabled
    with pytest.raises(errors.PanelRefused) as caught:
        client.node_restart(nodes[0].uuid)
    assert caught.value.code == "A149"
    assert not client.node_enable(nodes[0].uuid).is_disabled
    client.node_restart(nodes[0].uuid)


def test_squads_and_devices_are_read(panel: PanelHand, client: PanelClient) -> None:
    panel.seed(1)
    assert client.squads()
    assert client.user_devices(1) == ()
