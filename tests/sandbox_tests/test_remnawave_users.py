"""Users of the panel: read in pages and one by one, changed with all that follows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.panel_api import PanelApi

DAY_S = 86_400.0
GIB = 1 << 30


def iso_in(days: float) -> str:
    moment = datetime.now(UTC) + timedelta(days=days)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_pages_go_from_the_newest_user_and_end_empty(sandbox: Sandbox, api: PanelApi) -> None:
    ids = sandbox.panel.seed(30)
    first = api.get("users", start=0, size=20)
    assert [user["id"] for user in first["users"]] == list(ids)[:-21:-1]
    assert first["total"] == 30
    assert len(api.get("users")["users"]) == 25
    assert [user["id"] for user in api.get("users", start=29)["users"]] == [ids[0]]
    assert api.get("users", start=500)["users"] == []


def test_a_user_made_between_two_pages_shifts_the_second(sandbox: Sandbox, api: PanelApi) -> None:
    ids = sandbox.panel.seed(4)
    seen = [user["id"] for user in api.get("users", start=0, size=2)["users"]]
    sandbox.panel.add()
    seen += [user["id"] for user in api.get("users", start=2, size=2)["users"]]
    assert seen == [ids[3], ids[2], ids[2], ids[1]]


def test_the_stream_goes_upwards_and_its_last_page_has_no_cursor(
    sandbox: Sandbox, api: PanelApi
) -> None:
    ids = sandbox.panel.seed(5)
    page = api.get("users/stream", size=3)
    assert [user["id"] for user in page["users"]] == list(ids)[:3]
    assert (page["nextCursor"], page["hasMore"]) == (str(ids[2]), True)
    rest = api.get("users/stream", size=3, cursor=page["nextCursor"])
    assert [user["id"] for user in rest["users"]] == list(ids)[3:]
    assert (rest["nextCursor"], rest["hasMore"]) == (None, False)


def test_the_stream_finds_by_exact_values(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.seed(10, tags=["BASIC"])
    made = sandbox.panel.add(telegramId=77, email="a@example.org", tag="PRO", status="DISABLED")
    for query in ({"telegramId": 77}, {"email": "a@example.org"}, {"tag": "PRO"}):
        assert [user["id"] for user in api.get("users/stream", **query)["users"]] == [made["id"]]
    assert len(api.get("users/stream", status="DISABLED")["users"]) == 1
    assert api.get("users/stream", telegramId=7)["users"] == []


def test_one_user_is_found_by_each_of_his_names(sandbox: Sandbox, api: PanelApi) -> None:
    (user_id,) = sandbox.panel.seed(1, telegram_from=500100201)
    user = api.get(f"users/{user_id}")
    assert user["username"] == "tg_500100201"
    assert user == api.get("users/by-username/tg_500100201")
    assert user == api.get(f"users/by-short-uuid/{user['shortUuid']}")
    assert api.change("POST", "users/resolve", {"username": "tg_500100201"}) == {
        "id": user_id,
        "username": "tg_500100201",
        "shortUuid": user["shortUuid"],
    }
    assert api.refused("GET", "users/999999") == (404, "A063")
    assert api.refused("POST", "users/resolve", {"id": 999999}) == (404, "A025")
    assert api.ask("POST", "users/resolve", {"id": 1, "username": "x"}).status_code == 400


def test_filters_match_parts_and_sorting_is_checked(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.seed(20, telegram_from=900, prefix="user_")
    found = api.get("users", filters='[{"id":"telegramId","value":"91"}]')
    assert [user["telegramId"] for user in found["users"]] == list(range(919, 909, -1))
    exact = api.get(
        "users",
        filters='[{"id":"username","value":"user_905"},{"id":"nobody","value":1}]',
        filterModes='{"username":"equals"}',
    )
    assert exact["total"] == 1
    ordered = api.get("users", sorting='[{"id":"expireAt","desc":false}]')["users"]
    assert [user["expireAt"] for user in ordered] == sorted(user["expireAt"] for user in ordered)
    assert api.ask("GET", "users", sorting='[{"id":"nobody"}]').status_code == 500
    broken = api.ask("GET", "users", filters="[")
    assert (broken.status_code, broken.json()) == (
        400,
        {"statusCode": 400, "message": "Validation failed"},
    )


def test_a_created_user_has_what_was_asked_and_the_defaults(api: PanelApi) -> None:
    order = {
        "username": "trial_500100999",
        "expireAt": "2030-01-01T03:00:00+03:00",
        "telegramId": 500100999,
        "tag": "TRIAL",
        "activeInternalSquads": ["c2a9d3f4-18b6-4a6f-8a0e-0f5a1f9b6c22"],
        "unheardOf": 1,
    }
    answer = api.ask("POST", "users", order)
    user = answer.json()["response"]
    assert answer.status_code == 201
    assert user["expireAt"] == "2030-01-01T00:00:00.000Z"
    assert (user["status"], user["trafficLimitBytes"]) == ("ACTIVE", 0)
    assert user["activeInternalSquads"] == [
        {"uuid": "c2a9d3f4-18b6-4a6f-8a0e-0f5a1f9b6c22", "name": "Trial-Squad"}
    ]
    assert user["userTraffic"]["onlineAt"] is None
    assert user["subscriptionUrl"].endswith("/" + user["shortUuid"])
    assert api.refused("POST", "users", order) == (400, "A019")
    assert api.refused(
        "POST", "users", order | {"username": "x2y", "shortUuid": user["shortUuid"]}
    )[1] == ("A020")


def test_a_patch_changes_what_it_names_and_nothing_else(sandbox: Sandbox, api: PanelApi) -> None:
    before = sandbox.panel.add(telegramId=5, description="old", tag="PRO")
    after = api.change(
        "PATCH",
        "users",
        {"id": before["id"], "description": None, "expireAt": "2030-01-01T00:00:00Z"},
    )
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"description", "expireAt", "updatedAt"}
    assert after == api.get(f"users/{before['id']}")
    assert api.change("PATCH", "users", {"username": before["username"], "telegramId": 6})
    assert api.get("users/stream", telegramId=6)["users"][0]["id"] == before["id"]
    assert api.get("users/stream", telegramId=5)["users"] == []


@pytest.mark.parametrize(
    ("given", "patch", "status"),
    [
        ({"status": "EXPIRED", "expireInSeconds": -DAY_S}, {"expireAt": "soon"}, "ACTIVE"),
        (
            {"status": "EXPIRED", "expireInSeconds": -DAY_S},
            {"expireAt": "soon", "status": "DISABLED"},
            "EXPIRED",
        ),
        ({"status": "EXPIRED", "expireInSeconds": -DAY_S}, {"status": "DISABLED"}, "EXPIRED"),
        ({"status": "EXPIRED", "expireInSeconds": -DAY_S}, {"tag": "PRO"}, "EXPIRED"),
        ({"status": "DISABLED"}, {"expireAt": "soon"}, "DISABLED"),
        ({"status": "DISABLED"}, {"expireAt": "soon", "status": "ACTIVE"}, "ACTIVE"),
        ({"status": "ACTIVE"}, {"status": "DISABLED"}, "DISABLED"),
        ({"status": "LIMITED", "trafficLimitBytes": 5}, {"trafficLimitBytes": 6}, "ACTIVE"),
        ({"status": "LIMITED", "trafficLimitBytes": 5}, {"trafficLimitBytes": 0}, "ACTIVE"),
        ({"status": "LIMITED", "trafficLimitBytes": 5}, {"trafficLimitBytes": 4}, "LIMITED"),
        ({"status": "LIMITED", "trafficLimitBytes": 5}, {"status": "DISABLED"}, "LIMITED"),
    ],
)
def test_a_patch_moves_the_status_as_the_panel_does(
    sandbox: Sandbox, api: PanelApi, given: dict[str, Any], patch: dict[str, Any], status: str
) -> None:
    user = sandbox.panel.add(**given)
    body = {"id": user["id"], **patch}
    if "expireAt" in body:
        body["expireAt"] = iso_in(30)
    assert api.change("PATCH", "users", body)["status"] == status


def test_a_new_limit_forgets_the_threshold_that_was_told(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add(trafficLimitBytes=10, lastTriggeredThreshold=80)
    assert user["lastTriggeredThreshold"] == 80
    patched = api.change("PATCH", "users", {"id": user["id"], "trafficLimitBytes": 10})
    assert patched["lastTriggeredThreshold"] == 0


def test_enable_and_disable_refuse_to_repeat_themselves(sandbox: Sandbox, api: PanelApi) -> None:
    user_id = sandbox.panel.add()["id"]
    assert api.refused("POST", f"users/{user_id}/actions/enable") == (400, "A030")
    assert api.change("POST", f"users/{user_id}/actions/disable")["status"] == "DISABLED"
    assert api.refused("POST", f"users/{user_id}/actions/disable") == (400, "A029")
    assert api.change("POST", f"users/{user_id}/actions/enable")["status"] == "ACTIVE"
    assert api.refused("POST", "users/999999/actions/disable") == (404, "A025")


def test_an_expired_user_who_is_enabled_expires_again(sandbox: Sandbox, api: PanelApi) -> None:
    user_id = sandbox.panel.add(status="EXPIRED", expireInSeconds=-5)["id"]
    assert api.change("POST", f"users/{user_id}/actions/enable")["status"] == "ACTIVE"
    sandbox.clock_advance(31)
    assert sandbox.panel.user(user_id)["status"] == "EXPIRED"


def test_a_reset_brings_a_limited_user_back(sandbox: Sandbox, api: PanelApi) -> None:
    user_id = sandbox.panel.add(
        status="LIMITED", trafficLimitBytes=GIB, usedTrafficBytes=GIB, lifetimeUsedTrafficBytes=GIB
    )["id"]
    user = api.change("POST", f"users/{user_id}/actions/reset-traffic")
    assert user["status"] == "ACTIVE"
    assert user["lastTrafficResetAt"] == user["updatedAt"]
    assert user["userTraffic"]["usedTrafficBytes"] == 0
    assert user["userTraffic"]["lifetimeUsedTrafficBytes"] == GIB


def test_revoking_draws_new_keys_and_forgets_the_old_slug(sandbox: Sandbox, api: PanelApi) -> None:
    before = sandbox.panel.add()
    path = f"users/{before['id']}/actions/revoke"
    first = api.change("POST", path)
    for name in ("shortUuid", "trojanPassword", "ssPassword", "vlessUuid"):
        assert first[name] != before[name]
    assert api.refused("GET", f"users/by-short-uuid/{before['shortUuid']}") == (404, "A063")
    only = api.change("POST", path, {"revokeOnlyPasswords": True})
    assert only["shortUuid"] == first["shortUuid"]
    assert only["vlessUuid"] != first["vlessUuid"]
    named = api.change("POST", path, {"shortUuid": "chosen_slug_0001"})
    assert named["shortUuid"] == "chosen_slug_0001"
    assert api.get("users/by-short-uuid/chosen_slug_0001")["id"] == before["id"]


def test_extending_counts_from_the_later_of_now_and_expiry(sandbox: Sandbox, api: PanelApi) -> None:
    past = sandbox.panel.add(status="EXPIRED", expireInSeconds=-9 * DAY_S)
    user = api.change("POST", f"users/{past['id']}/actions/extend", {"days": 30})
    assert user["status"] == "ACTIVE"
    assert iso_in(29.99) < user["expireAt"] < iso_in(30.01)
    ahead = sandbox.panel.add(expireAt="2030-01-01T00:00:00Z")
    user = api.change("POST", f"users/{ahead['id']}/actions/extend", {"days": 1})
    assert user["expireAt"] == "2030-01-02T00:00:00.000Z"


def test_a_deleted_user_is_gone_and_his_id_is_not_given_again(
    sandbox: Sandbox, api: PanelApi
) -> None:
    user = sandbox.panel.add(telegramId=5)
    answer = api.ask("DELETE", f"users/{user['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.refused("DELETE", f"users/{user['id']}") == (404, "A025")
    assert api.get("users/stream", telegramId=5)["users"] == []
    assert sandbox.panel.add(username=user["username"])["id"] == user["id"] + 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"uuid": "0b9f1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d"},
        {"id": "1"},
        {"id": 0},
        {"id": 1, "status": "EXPIRED"},
        {"id": 1, "expireAt": "2020-01-01T00:00:00Z"},
        {"id": 1, "expireAt": "2030-01-01"},
        {"id": 1, "trafficLimitBytes": -1},
        {"id": 1, "trafficLimitBytes": 1.5},
        {"id": 1, "tag": "lower"},
        {"id": 1, "email": "nobody"},
        {"id": 1, "activeInternalSquads": ["x"]},
        [1],
    ],
)
def test_a_patch_of_a_wrong_form_lists_its_issues(
    sandbox: Sandbox, api: PanelApi, body: Any
) -> None:
    sandbox.panel.add()
    answer = api.ask("PATCH", "users", body)
    assert answer.status_code == 400
    assert answer.json()["message"] == "Validation failed"
    assert all({"code", "path", "message"} <= issue.keys() for issue in answer.json()["errors"])
    assert answer.json()["errors"]


def test_an_unknown_squad_looks_like_a_failed_update(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add()
    body = {
        "id": user["id"],
        "tag": "X",
        "activeInternalSquads": ["11111111-1111-4111-8111-111111111111"],
    }
    assert api.refused("PATCH", "users", body) == (500, "A039")
    assert sandbox.panel.user(user["id"]) == user
