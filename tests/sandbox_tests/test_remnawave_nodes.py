"""Nodes, their traffic, devices and metadata of users."""

from datetime import UTC, datetime

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.panel_api import PanelApi
from tests.sandbox_tests.receiver import Receiver

UP = "7f0b2c6a-3d51-4b8e-9c1f-0a1b2c3d4e01"
STARTING = "8a1c3d7b-4e62-4c9f-8d20-1b2c3d4e5f02"
DISABLED = "9b2d4e8c-5f73-4da0-9e31-2c3d4e5f6a03"
NOBODY = "0e6b6b77-5f7c-4c1c-9d5b-6c1f6a0d9e33"
SECRET = "SampleSecretSampleSecretSampleSecret0000"


def flags(node: dict[str, object]) -> tuple[object, object, object]:
    return node["isConnected"], node["isConnecting"], node["isDisabled"]


def test_the_list_is_bare_and_shows_three_states(sandbox: Sandbox, api: PanelApi) -> None:
    nodes = api.get("nodes")
    assert [flags(node) for node in nodes] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert [node["system"] is None for node in nodes] == [False, True, True]
    assert api.get(f"nodes/{UP}") == nodes[0]
    assert api.refused("GET", f"nodes/{NOBODY}") == (404, "A011")


def test_a_restart_is_empty_and_takes_some_seconds(sandbox: Sandbox, api: PanelApi) -> None:
    path = f"nodes/{UP}/actions/restart"
    assert api.ask("POST", path).status_code == 400
    answer = api.ask("POST", path, {"forceRestart": False})
    assert (answer.status_code, answer.content) == (202, b"")
    assert flags(api.get(f"nodes/{UP}")) == (False, True, False)
    sandbox.clock_advance(6)
    sandbox.wait_for(lambda: api.get(f"nodes/{UP}")["isConnected"])
    assert api.refused("POST", f"nodes/{DISABLED}/actions/restart", {"forceRestart": True}) == (
        400,
        "A149",
    )
    sandbox.panel.dialect("2.7")
    assert api.change("POST", path) == {"eventSent": True}


def test_restarting_all_needs_one_that_is_enabled(sandbox: Sandbox, api: PanelApi) -> None:
    body = {"forceRestart": False}
    assert api.ask("POST", "nodes/actions/restart-all", body).status_code == 202
    for uuid in (UP, STARTING):
        assert api.change("POST", f"nodes/{uuid}/actions/disable")["isDisabled"]
    assert api.refused("POST", "nodes/actions/restart-all", body) == (409, "A054")


def test_bulk_actions_reach_the_known_ones(sandbox: Sandbox, api: PanelApi) -> None:
    body = {"uuids": [UP, STARTING, NOBODY], "action": "DISABLE"}
    assert api.ask("POST", "nodes/bulk-actions", body).status_code == 204
    assert all(node["isDisabled"] for node in api.get("nodes"))
    assert api.ask("POST", "nodes/bulk-actions", body | {"action": "X"}).status_code == 400
    assert [write["call"] for write in sandbox.panel.writes()] == ["nodes.bulk-actions"] * 2


def test_a_lost_node_counts_nobody_and_is_announced(sandbox: Sandbox, api: PanelApi) -> None:
    with Receiver() as receiver:
        sandbox.panel.webhooks_to(receiver.url, SECRET)
        sandbox.panel.node(UP, state="down", message="connect ETIMEDOUT")
        node = api.get(f"nodes/{UP}")
        assert (node["usersOnline"], node["lastStatusMessage"]) == (0, "connect ETIMEDOUT")
        sandbox.panel.node(UP, state="up", users_online=5)
        sandbox.wait_for(lambda: len(receiver.arrivals) == 2)
        assert sorted(receiver.events()) == ["node.connection_lost", "node.connection_restored"]
        assert "meta" not in receiver.arrivals[0].content


def test_traffic_shows_by_day_node_and_user(sandbox: Sandbox, api: PanelApi) -> None:
    noon = datetime.now(UTC).replace(hour=12)
    sandbox.clock_set((noon - datetime.now(UTC)).total_seconds())
    one, two = list(sandbox.panel.seed(2, telegram_from=100))
    days = []
    for size in (10, 20):
        sandbox.panel.use([one, two], size, UP)
        sandbox.panel.use([one], size, STARTING)
        days.append(sandbox.clock()["now"][:10])
        sandbox.clock_advance(86_400)
    query = {"start": days[0], "end": days[1]}
    chart = api.get("bandwidth-stats/nodes", **query)
    assert chart["categories"] == days
    assert chart["sparklineData"] == [30, 60]
    assert [(item["uuid"], item["data"]) for item in chart["series"]] == [
        (UP, [20, 40]),
        (STARTING, [10, 20]),
    ]
    assert chart["topNodes"][0]["total"] == 60
    users = api.get(f"bandwidth-stats/nodes/{UP}/users", **query)["topUsers"]
    assert {user["username"]: user["total"] for user in users} == {"tg_100": 30, "tg_101": 30}
    mine = api.get(f"bandwidth-stats/users/{one}", **query)
    assert mine["sparklineData"] == [20, 40]
    usage = api.ask(
        "POST",
        f"bandwidth-stats/nodes/usage?start={days[0]}&end={days[1]}&minTotalBytes=31",
        {"nodesUuids": [UP]},
    )
    assert usage.json()["response"]["nodes"] == [{"uuid": UP, "users": []}]
    assert api.ask("GET", "bandwidth-stats/nodes", start="x", end="y").status_code == 400
    assert api.get("system/stats")["nodes"]["totalBytesLifetime"] == "90"
    assert not sandbox.panel.writes()


def test_devices_are_listed_and_taken_away(sandbox: Sandbox, api: PanelApi) -> None:
    user_id = sandbox.panel.add()["id"]
    for hwid in ("A1", "B2", "C3"):
        sandbox.panel.add_device(user_id, hwid)
    assert api.get(f"hwid/devices/{user_id}")["total"] == 3
    left = api.change("POST", "hwid/devices/delete", {"userId": user_id, "hwid": "B2"})
    assert [device["hwid"] for device in left["devices"]] == ["A1", "C3"]
    assert api.refused("POST", "hwid/devices/delete", {"userId": user_id, "hwid": "B2"}) == (
        404,
        "A204",
    )
    assert api.change("POST", "hwid/devices/delete-all", {"userId": user_id})["total"] == 0


def test_metadata_belong_to_whoever_put_them(sandbox: Sandbox, api: PanelApi) -> None:
    user_id = sandbox.panel.add()["id"]
    path = f"metadata/user/{user_id}"
    assert api.refused("GET", path) == (404, "A226")
    api.change("PUT", path, {"metadata": {"crmId": 7781, "plan": "PRO"}})
    api.change("PUT", path, {"metadata": {"crmId": 7782}})
    assert api.get(path) == {"metadata": {"crmId": 7782}}


def test_totals_agree_with_the_users(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.seed(40, disabled_share=0.5)
    sandbox.panel.add()
    users = api.get("system/stats")["users"]
    assert users["totalUsers"] == 41 == sum(users["statusCounts"].values())
    span = "start=2026-11-20T00:00:00Z&end=2026-11-19T00:00:00Z"
    assert api.refused("GET", f"system/stats/digest?{span}") == (400, "A235")
    assert api.get("users/tags")["tags"] == ["BASIC", "PRO"]
    squads = api.get("internal-squads")["internalSquads"]
    assert [squad["info"]["membersCount"] for squad in squads] == [41, 0]
