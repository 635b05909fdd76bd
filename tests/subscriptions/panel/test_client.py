"""What goes over the wire, in each dialect, and what happens when the panel changes its dialect."""

import json
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from subscriptions.panel import errors
from subscriptions.panel.client import PanelClient
from subscriptions.panel.dialects import Dialect
from subscriptions.panel.types import PanelStatus
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import TOKEN, Stage

LATER = datetime(2030, 1, 1, tzinfo=UTC)
UUID_2 = UUID(bodies.UUID_OF_V2)
NODE = UUID(bodies.NODE["uuid"])


def test_token_and_the_headers_of_a_proxy_go_along(stage: Stage) -> None:
    stage.say(bodies.user())
    stage.client(headers={"X-Api-Key": "caddy"}, cookie="door=open").user(1042)
    sent = stage.asked[0].headers
    assert sent["Authorization"] == f"Bearer {TOKEN}"
    assert (sent["X-Forwarded-Proto"], bool(sent["X-Forwarded-For"])) == ("https", True)
    assert (sent["X-Api-Key"], sent["Cookie"]) == ("caddy", "door=open")


def test_v3_names_users_by_number(stage: Stage, client: PanelClient) -> None:
    for _ in range(6):
        stage.say(bodies.user())
    client.user(1042)
    client.user_update(1042, expire_at=LATER, status=PanelStatus.ACTIVE)
    client.user_enable(1042)
    client.user_disable(1042)
    client.user_reset_traffic(1042)
    client.user_revoke(1042)
    stage.say(status=204)
    client.user_delete(1042)
    assert [(each.method, each.path) for each in stage.asked] == [
        ("GET", "/api/users/1042"),
        ("PATCH", "/api/users"),
        ("POST", "/api/users/1042/actions/enable"),
        ("POST", "/api/users/1042/actions/disable"),
        ("POST", "/api/users/1042/actions/reset-traffic"),
        ("POST", "/api/users/1042/actions/revoke"),
        ("DELETE", "/api/users/1042"),
    ]
    assert stage.asked[1].body == {
        "id": 1042,
        "expireAt": "2030-01-01T00:00:00.000Z",
        "status": "ACTIVE",
    }


def test_v2_names_users_by_uuid_which_the_mirror_knows(stage_v2: Stage) -> None:
    client = stage_v2.client(uuids_of=lambda ids: dict.fromkeys(ids, UUID_2))
    for _ in range(3):
        stage_v2.say(bodies.user_v2())
    client.user(1042)
    client.user_update(1042, expire_at=LATER)
    client.user_disable(1042)
    stage_v2.say({"isDeleted": True})
    assert client.user_delete(1042)
    assert [(each.method, each.path) for each in stage_v2.asked] == [
        ("GET", "/api/users/by-id/1042"),
        ("PATCH", "/api/users"),
        ("POST", f"/api/users/{UUID_2}/actions/disable"),
        ("DELETE", f"/api/users/{UUID_2}"),
    ]
    assert stage_v2.asked[1].body == {"uuid": str(UUID_2), "expireAt": "2030-01-01T00:00:00.000Z"}


def test_v2_is_asked_for_a_uuid_that_nobody_knows(stage_v2: Stage, client_v2: PanelClient) -> None:
    stage_v2.say(bodies.user_v2())
    stage_v2.say(bodies.user_v2(status="DISABLED"))
    assert client_v2.user_disable(1042).status is PanelStatus.DISABLED
    assert [each.path for each in stage_v2.asked] == [
        "/api/users/by-id/1042",
        f"/api/users/{UUID_2}/actions/disable",
    ]


def test_a_user_that_v2_does_not_know_is_missing_before_anything_is_written(
    stage_v2: Stage, client_v2: PanelClient
) -> None:
    stage_v2.say(bodies.business_error("A063", "not found"), status=404)
    with pytest.raises(errors.PanelMissing):
        client_v2.user_disable(1042)
    assert [each.method for each in stage_v2.asked] == ["GET"]


def test_users_of_a_telegram_account_are_found_in_both_dialects(
    stage: Stage, client: PanelClient, stage_v2: Stage, client_v2: PanelClient
) -> None:
    stage.say({"users": [bodies.user()], "nextCursor": None, "hasMore": False})
    stage_v2.say([bodies.user_v2()])
    stage_v2.say([])
    assert client.users_by_telegram_id(77)[0].id == 1042
    assert client_v2.users_by_telegram_id(77)[0].uuid == UUID_2
    assert client_v2.users_by_telegram_id(78) == ()
    assert stage.asked[0].path == "/api/users/stream?telegramId=77&size=1000"
    assert stage_v2.asked[0].path == "/api/users/by-telegram-id/77"


def test_names_and_links_are_escaped(stage: Stage, client: PanelClient) -> None:
    stage.say(bodies.user())
    stage.say(bodies.user())
    client.user_by_username("a/../b?c")
    client.user_by_short_uuid("x y")
    assert [each.path for each in stage.asked] == [
        "/api/users/by-username/a%2F..%2Fb%3Fc",
        "/api/users/by-short-uuid/x%20y",
    ]


def test_pages_of_v27_are_asked_for_oldest_first(stage: Stage, client: PanelClient) -> None:
    stage.say({"users": [], "total": 3})
    assert client.users_page(2000).total == 3
    query = parse_qs(urlsplit(stage.asked[0].path).query)
    assert (query["start"], query["size"]) == (["2000"], ["1000"])
    assert json.loads(query["sorting"][0]) == [{"id": "id", "desc": False}]


def test_a_new_user_needs_an_end(stage: Stage, client: PanelClient) -> None:
    with pytest.raises(ValueError, match="expire_at"):
        client.user_create("new_one")
    stage.say(bodies.user(), status=201)
    client.user_create("new_one", expire_at=LATER, telegram_id=77)
    assert stage.asked[0].body == {
        "username": "new_one",
        "expireAt": "2030-01-01T00:00:00.000Z",
        "telegramId": 77,
    }


def test_nodes_are_asked_and_acted_on(stage: Stage, client: PanelClient) -> None:
    stage.say(bodies.NODE)
    stage.say(bodies.NODE)
    stage.say(bodies.NODE | {"isDisabled": True})
    for _ in range(2):
        stage.say(status=202)
    stage.say(status=204)
    assert client.node(NODE).name == "NL-Amsterdam-1"
    client.node_enable(NODE)
    assert client.node_disable(NODE).is_disabled
    client.node_restart(NODE, is_forced=True)
    client.nodes_restart_all()
    client.node_reset_traffic(NODE)
    assert [each.path.rpartition("/api/nodes")[2] for each in stage.asked] == [
        f"/{NODE}", f"/{NODE}/actions/enable", f"/{NODE}/actions/disable",
        f"/{NODE}/actions/restart", "/actions/restart-all", f"/{NODE}/actions/reset-traffic",
    ]  # fmt: skip
    assert [each.body for each in stage.asked[3:5]] == [
        {"forceRestart": True},
        {"forceRestart": False},
    ]


def test_figures_are_asked_for_by_day(stage: Stage, client: PanelClient) -> None:
    stage.say(bodies.BANDWIDTH)
    stage.say(
        {"categories": ["2026-11-20"], "sparklineData": [5], "topUsers": [{"username": "a", "total": 5}]}
    )  # fmt: skip
    stage.say(bodies.STATS)
    days = date(2026, 11, 18), date(2026, 11, 20)
    assert len(client.bandwidth(*days, top=20).nodes) == 1
    assert client.node_bandwidth(NODE, *days).top_users[0].total_bytes == 5
    assert client.system_stats().online_now == 243
    assert stage.asked[0].path == (
        "/api/bandwidth-stats/nodes?start=2026-11-18&end=2026-11-20&topNodesLimit=20"
    )


def test_the_version_is_asked_for_once(stage: Stage, client: PanelClient) -> None:
    stage.version = None
    stage.say(bodies.METADATA_V3)
    stage.say(bodies.user())
    stage.say(bodies.user())
    client.user(1042)
    client.user(1042)
    assert [each.path for each in stage.asked] == [
        "/api/system/metadata",
        "/api/users/1042",
        "/api/users/1042",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        (404, bodies.no_route("GET", "/api/system/metadata")),
        (200, {"response": {"version": "1.6.2"}}),
        (200, {"response": {"version": "4.0.0"}}),
    ],
)
def test_a_panel_that_we_do_not_know_is_asked_nothing_else(
    stage: Stage, client: PanelClient, answer: tuple[int, Any]
) -> None:
    stage.version = None
    stage.say(answer[1], status=answer[0], is_bare=True)
    with pytest.raises(errors.PanelHeld, match="version"):
        client.user(1042)
    assert len(stage.asked) == 1


def test_a_read_goes_on_in_the_new_dialect_when_the_panel_was_upgraded(
    stage_v2: Stage, client_v2: PanelClient
) -> None:
    stage_v2.say(bodies.user_v2())
    client_v2.user(1042)
    stage_v2.version = bodies.METADATA_V3
    stage_v2.say(bodies.no_route("GET", "/api/users/by-id/1042"), status=404)
    stage_v2.say(bodies.user())
    assert client_v2.user(1042).id == 1042
    assert client_v2.contract.dialect() is Dialect.V3
    assert [each.path for each in stage_v2.asked][1:] == [
        "/api/users/by-id/1042",
        "/api/users/1042",
    ]


def test_no_write_goes_out_in_a_dialect_that_was_not_checked(stage_v2: Stage) -> None:
    client = stage_v2.client(uuids_of=lambda ids: dict.fromkeys(ids, UUID_2))
    stage_v2.say(bodies.user_v2())
    client.user_update(1042, tag="PRO")
    stage_v2.version = bodies.METADATA_V3
    stage_v2.say(bodies.validation_error("id"), status=400)
    with pytest.raises(errors.PanelHeld, match=r"went from v2\.8 to version 3\.3\.2"):
        client.user_update(1042, tag="PRO")
    with pytest.raises(errors.PanelHeld):
        client.user_disable(1042)
    assert [each.method for each in stage_v2.asked] == ["PATCH", "PATCH"]  # none in v3


def test_a_mistake_of_ours_is_told_when_the_dialect_is_right(
    stage: Stage, client: PanelClient
) -> None:
    stage.say(bodies.validation_error("expireAt"), status=400)
    with pytest.raises(errors.PanelRefused) as caught:
        client.user_update(1042, expire_at=LATER)
    assert caught.value.code == "validation"
    assert client.contract.held() is None
