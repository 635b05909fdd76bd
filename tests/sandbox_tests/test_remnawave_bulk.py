"""Bulk changes: an empty answer at once, the change later, and no word about what failed."""

from typing import Any

import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.panel_api import PanelApi

DAY_S = 86_400.0
NOBODY = 999_999


def statuses(sandbox: Sandbox) -> list[str]:
    return [user["status"] for user in sandbox.panel.users()]


def test_a_queued_update_shows_only_after_its_delay(sandbox: Sandbox, api: PanelApi) -> None:
    ids = sandbox.panel.seed(3, expires_from_s=DAY_S)
    sandbox.panel.settings(bulk_delay_s=3600)
    body = {"userIds": [*ids, NOBODY], "fields": {"status": "DISABLED"}}
    answer = api.ask("POST", "users/bulk/update", body)
    assert (answer.status_code, answer.content) == (202, b"")
    assert statuses(sandbox) == ["ACTIVE"] * 3
    assert sandbox.panel.stats()["queued"] == 1
    sandbox.clock_advance(3601)
    sandbox.wait_for(lambda: sandbox.panel.stats()["queued"] == 0)
    assert statuses(sandbox) == ["DISABLED"] * 3


def test_failures_of_a_queue_are_swallowed(sandbox: Sandbox, api: PanelApi) -> None:
    ids = sandbox.panel.seed(4, expires_from_s=DAY_S)
    sandbox.panel.settings(bulk_delay_s=0, bulk_fail_ids=[ids[1]])
    body = {"userIds": list(ids), "fields": {"status": "DISABLED"}}
    assert api.ask("POST", "users/bulk/update", body).status_code == 202
    sandbox.wait_for(lambda: sandbox.panel.stats()["queued"] == 0)
    assert statuses(sandbox) == ["DISABLED", "ACTIVE", "DISABLED", "DISABLED"]


def test_a_share_of_failures_strikes_the_same_users_each_time(
    sandbox: Sandbox, api: PanelApi
) -> None:
    struck: list[list[bool]] = []
    for _ in range(2):
        sandbox.reset("remnawave")
        ids = sandbox.panel.seed(200, expires_from_s=DAY_S)
        sandbox.panel.settings(bulk_delay_s=0, bulk_fail_share=0.2)
        api.change("POST", "users/bulk/update", {"userIds": list(ids), "fields": {"tag": "NEW"}})
        sandbox.wait_for(lambda: sandbox.panel.stats()["queued"] == 0)
        struck.append([user["tag"] != "NEW" for user in sandbox.panel.users()])
    assert struck[0] == struck[1]
    assert 15 < sum(struck[0]) < 70


def test_extending_in_bulk_adds_to_the_stored_date_and_may_leave_people_expired(
    sandbox: Sandbox, api: PanelApi
) -> None:
    long_ago = sandbox.panel.add(status="EXPIRED", expireInSeconds=-30 * DAY_S)
    lately = sandbox.panel.add(status="EXPIRED", expireInSeconds=-DAY_S)
    ahead = sandbox.panel.add(expireAt="2030-01-01T00:00:00Z")
    ids = [user["id"] for user in (long_ago, lately, ahead)]
    path = "users/bulk/extend-expiration-date"
    answer = api.ask("POST", path, {"userIds": ids, "extendDays": 7})
    assert (answer.status_code, answer.content) == (204, b"")
    assert statuses(sandbox) == ["EXPIRED", "ACTIVE", "ACTIVE"]
    assert sandbox.panel.user(ahead["id"])["expireAt"] == "2030-01-08T00:00:00.000Z"
    assert sandbox.panel.user(ahead["id"])["updatedAt"] == ahead["updatedAt"]


def test_statuses_of_the_panel_itself_pass_the_schema_and_then_fail(
    sandbox: Sandbox, api: PanelApi
) -> None:
    ids = sandbox.panel.seed(1, expires_from_s=DAY_S)
    body = {"userIds": list(ids), "fields": {"status": "EXPIRED"}}
    assert api.refused("POST", "users/bulk/update", body) == (500, "A089")
    assert api.refused("POST", "users/bulk/all/update", {"status": "LIMITED"}) == (500, "A089")
    assert statuses(sandbox) == ["ACTIVE"]


def test_bulk_delete_ignores_the_unknown_and_sends_nothing(sandbox: Sandbox, api: PanelApi) -> None:
    ids = sandbox.panel.seed(4)
    answer = api.ask("POST", "users/bulk/delete", {"userIds": [ids[0], ids[2], NOBODY]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert [user["id"] for user in sandbox.panel.users()] == [ids[1], ids[3]]
    assert sandbox.panel.stats()["events"] == {}


def test_whoever_has_a_status_is_deleted_at_once(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.settings(bulk_delay_s=0)
    sandbox.panel.seed(10, expires_from_s=-DAY_S, expires_to_s=0.9 * DAY_S)
    answer = api.ask("POST", "users/bulk/delete-by-status", {"status": "EXPIRED"})
    assert (answer.status_code, answer.content) == (202, b"")
    sandbox.wait_for(lambda: sandbox.panel.stats()["queued"] == 0)
    assert statuses(sandbox) == ["ACTIVE"] * 4


def test_resets_and_new_keys_reach_everybody_named(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.settings(bulk_delay_s=0)
    ids = sandbox.panel.seed(3, limited_share=1, expires_from_s=DAY_S)
    before = sandbox.panel.users()
    for path in ("reset-traffic", "revoke-subscription"):
        assert api.ask("POST", f"users/bulk/{path}", {"userIds": list(ids)}).status_code == 202
    sandbox.wait_for(lambda: sandbox.panel.stats()["queued"] == 0)
    after = sandbox.panel.users()
    assert [user["status"] for user in before] == ["LIMITED"] * 3
    assert [user["status"] for user in after] == ["ACTIVE"] * 3
    assert not {user["shortUuid"] for user in before} & {user["shortUuid"] for user in after}


def test_all_means_everybody_and_none_of_the_rules(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.settings(bulk_delay_s=0)
    sandbox.panel.seed(10, expires_from_s=-DAY_S, expires_to_s=DAY_S)
    for path, body in (
        ("update", {"status": "DISABLED", "tag": "ALL"}),
        ("reset-traffic", None),
        ("extend-expiration-date", {"extendDays": 1}),
    ):
        assert api.ask("POST", f"users/bulk/all/{path}", body).status_code == 202
    sandbox.wait_for(lambda: sandbox.panel.stats()["queued"] == 0)
    users = sandbox.panel.users()
    assert {(user["status"], user["tag"]) for user in users} == {("DISABLED", "ALL")}
    assert {user["userTraffic"]["usedTrafficBytes"] for user in users} == {0}


def test_squads_are_replaced_and_an_unknown_one_breaks_the_pack(
    sandbox: Sandbox, api: PanelApi
) -> None:
    ids = list(sandbox.panel.seed(2))
    trial = "c2a9d3f4-18b6-4a6f-8a0e-0f5a1f9b6c22"
    order: dict[str, Any] = {"userIds": ids, "activeInternalSquads": [trial]}
    assert api.ask("POST", "users/bulk/update-squads", order).status_code == 204
    assert [user["activeInternalSquads"][0]["name"] for user in sandbox.panel.users()] == [
        "Trial-Squad"
    ] * 2
    order["activeInternalSquads"] = ["11111111-1111-4111-8111-111111111111"]
    assert api.ask("POST", "users/bulk/update-squads", order).status_code == 500
    path = f"internal-squads/{trial}/bulk-actions/remove-many-users"
    assert api.ask("DELETE", path, {"userIds": ids[:1]}).status_code == 202
    assert sandbox.panel.user(ids[0])["activeInternalSquads"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"userIds": []},
        {"userIds": list(range(1, 502))},
        {"userIds": ["1"]},
        {"userIds": [0]},
        {"uuids": ["0b9f1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d"]},
    ],
)
def test_ids_of_a_wrong_form_are_refused(api: PanelApi, body: dict[str, Any]) -> None:
    assert api.ask("POST", "users/bulk/delete", body).status_code == 400


def test_v2_counts_the_named_not_the_changed(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.seed(2)
    sandbox.panel.dialect("2.8")
    known = [user["uuid"] for user in sandbox.panel.users()]
    named = [*known, "11111111-1111-4111-8111-111111111111"]
    body = {"uuids": named, "fields": {"tag": "PRO"}}
    assert api.change("POST", "users/bulk/update", body) == {"affectedRows": 3}
    assert api.change("POST", "users/bulk/delete", {"uuids": named}) == {"affectedRows": 2}
    assert api.change("POST", "users/bulk/all/reset-traffic") == {"eventSent": True}
