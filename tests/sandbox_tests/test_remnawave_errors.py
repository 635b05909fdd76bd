"""Each origin of an error has its own body; tokens, scopes, proxies and ordered faults."""

import base64
from typing import Any

import orjson
import pytest
import requests

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.panel_api import TOKEN, PanelApi


def jwt(ends_at: float) -> str:
    parts = [{"alg": "HS256"}, {"role": "API", "exp": ends_at}, {}]
    return ".".join(
        base64.urlsafe_b64encode(orjson.dumps(part)).decode().strip("=") for part in parts
    )


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "Bearer revoked-1", None])
def test_without_a_good_token_nothing_is_told(
    sandbox: Sandbox, api: PanelApi, header: str | None
) -> None:
    api.http.headers["Authorization"] = header if header is not None else ""
    if header is None:
        del api.http.headers["Authorization"]
    answer = api.ask("GET", "users")
    assert (answer.status_code, answer.json()) == (
        401,
        {"message": "Unauthorized", "statusCode": 401},
    )


def test_a_token_ends_when_the_clock_says_so(sandbox: Sandbox) -> None:
    api = PanelApi(sandbox.panel_url, jwt(4_000_000_000))
    assert api.ask("GET", "users").status_code == 200
    sandbox.clock_advance(70 * 366 * 86_400)
    assert api.ask("GET", "users").status_code == 401
    assert PanelApi(sandbox.panel_url, jwt(1)).ask("GET", "users").status_code == 401
    api.http.close()


def test_deleted_tokens_and_missing_scopes_are_forbidden(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add()
    sandbox.panel.token(TOKEN, scopes=["users:read", "nodes:*"])
    assert api.ask("GET", "users").status_code == 200
    assert api.ask("POST", "users/resolve", {"id": user["id"]}).status_code == 200
    assert api.ask("GET", "nodes").status_code == 200
    answer = api.ask("POST", f"users/{user['id']}/actions/disable")
    assert (answer.status_code, answer.json()) == (
        403,
        {"message": "Forbidden resource", "error": "Forbidden", "statusCode": 403},
    )
    sandbox.panel.token(TOKEN, "deleted")
    assert api.ask("GET", "users").status_code == 403
    sandbox.panel.token(TOKEN, "unknown")
    assert api.ask("GET", "users").status_code == 401
    sandbox.panel.token(TOKEN)
    assert api.refused("GET", "tokens") == (403, "E000")


def test_errors_of_the_rules_carry_time_and_path(api: PanelApi) -> None:
    answer = api.ask("GET", "users/999999?x=1")
    body = answer.json()
    assert answer.status_code == 404
    assert list(body) == ["timestamp", "path", "message", "errorCode"]
    assert body["path"] == "/api/users/999999?x=1"
    assert body["timestamp"].endswith("Z")


def test_a_body_that_is_no_json_is_malformed(api: PanelApi) -> None:
    answer = api.http.patch(f"{api.base}/api/users", data="{", timeout=10)
    assert answer.status_code == 400
    assert answer.json().keys() == {"message", "error", "statusCode"}


def test_a_page_too_large_is_a_wrong_form(api: PanelApi) -> None:
    answer = api.ask("GET", "users", size=1001)
    assert answer.json()["errors"][0]["path"] == ["size"]
    assert api.ask("GET", "users", start=-5).status_code == 200
    assert api.ask("GET", "users", start="x").json()["errors"][0]["received"] == "NaN"


def test_an_unknown_route_needs_no_token(sandbox: Sandbox) -> None:
    answer = requests.put(f"{sandbox.panel_url}/api/nothing?a=1", timeout=10)
    assert (answer.status_code, answer.json()["message"]) == (404, "Cannot PUT /api/nothing?a=1")


def test_past_its_proxy_the_panel_closes_the_connection(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.settings(requires_proxy_headers=True)
    with pytest.raises(requests.ConnectionError):
        api.ask("GET", "users")
    api.http.headers["X-Forwarded-Proto"] = "https"
    with pytest.raises(requests.ConnectionError):
        api.ask("GET", "users")
    api.http.headers["X-Forwarded-For"] = "127.0.0.1"
    assert api.ask("GET", "users").status_code == 200
    assert sandbox.requests()[1]["is_cut"]


def test_faults_strike_by_call_and_by_user(sandbox: Sandbox, api: PanelApi) -> None:
    one, two = list(sandbox.panel.seed(2))
    sandbox.panel.fault(kind="status", status=503, method="users.update", user_id=one)
    assert api.ask("PATCH", "users", {"id": one, "tag": "X"}).status_code == 503
    assert api.ask("PATCH", "users", {"id": two, "tag": "X"}).status_code == 200
    assert api.ask("GET", f"users/{one}").status_code == 200
    sandbox.panel.clear_faults()
    sandbox.panel.fault(kind="html_502", user_id=two, times=1)
    assert api.ask("GET", f"users/{two}").text.startswith("<html>")
    assert [write["status"] for write in sandbox.panel.writes()] == [200]


def test_faults_know_a_user_by_his_uuid_as_well(sandbox: Sandbox, api: PanelApi) -> None:
    user_id = sandbox.panel.add()["id"]
    sandbox.panel.dialect("2.8")
    uuid = sandbox.panel.user(user_id)["uuid"]
    sandbox.panel.fault(kind="status", status=503, user_id=user_id)
    assert api.ask("GET", f"users/{uuid}").status_code == 503
    assert api.ask("PATCH", "users", {"uuid": uuid}).status_code == 503
    assert api.ask("GET", "users").status_code == 200


def test_the_outcome_of_a_cut_call_is_known_to_the_panel_alone(
    sandbox: Sandbox, api: PanelApi
) -> None:
    (user_id,) = sandbox.panel.seed(1)
    sandbox.panel.fault(kind="cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        api.ask("PATCH", "users", {"id": user_id, "tag": "DONE"})
    assert sandbox.panel.user(user_id)["tag"] == "DONE"
    (write,) = sandbox.panel.writes()
    assert (write["call"], write["status"], write["user_ids"]) == ("users.update", 200, [user_id])


def test_a_proxy_may_say_that_it_is_too_much(sandbox: Sandbox, api: PanelApi) -> None:
    sandbox.panel.fault(kind="rate_limit", retry_after=7, times=1)
    answer = api.ask("GET", "users")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_writes_are_kept_in_order_with_what_they_asked_for(sandbox: Sandbox, api: PanelApi) -> None:
    one, two = list(sandbox.panel.seed(2))
    api.change("PATCH", "users", {"id": one, "tag": "A"})
    api.ask("POST", f"users/{two}/actions/enable")
    api.ask("POST", "users/bulk/reset-traffic", {"userIds": [one, two]})
    api.get("users")
    sandbox.panel.operator(two, "revoke")
    writes = sandbox.panel.writes()
    assert [(write["call"], write["user_ids"]) for write in writes] == [
        ("users.update", [one]),
        ("users.enable", [two]),
        ("users.bulk.reset-traffic", [one, two]),
    ]
    assert writes[0]["body"] == {"id": one, "tag": "A"}
    assert [write["call"] for write in sandbox.panel.writes(user_id=two)] == [
        "users.enable",
        "users.bulk.reset-traffic",
    ]
    assert len(sandbox.panel.writes(call="users.update")) == 1
    assert sandbox.panel.stats()["writes"]["users.update"] == 1


def test_counters_know_how_many_calls_came_at_once(sandbox: Sandbox, api: PanelApi) -> None:
    api.get("users")
    api.ask("GET", "users/1")
    stats = sandbox.panel.stats()
    assert (stats["received"], stats["peak_in_flight"], stats["in_flight"]) == (2, 1, 0)
    assert stats["by_call"] == {"users.list": 1, "users.get": 1}
    assert stats["by_status"] == {"200": 1, "404": 1}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("seed", {"count": 0}, "count must be between"),
        ("seed", {"count": 1, "first_id": -5}, "first_id must be at least"),
        ("seed", {"count": 1, "strategy": "YEAR"}, "strategy must be one of"),
        ("seed", {"count": 1, "expires_from_s": 5, "expires_to_s": 1}, "must not be above"),
        ("seed", {"count": 1, "who": 1}, "who is unknown"),
        ("seed", {"count": True}, "count must be a number"),
        ("users", {"nobody": 1}, "nobody is unknown"),
        ("users", {"status": "GONE"}, "status cannot be 'GONE'"),
        ("traffic", {"user_ids": [1]}, "user_ids must be a list"),
        ("events", {"event": "x"}, "event must be a name"),
        ("events", {"event": "user.modified", "user_id": 5}, "no user has the id 5"),
        ("devices", {"user_id": 5, "hwid": "x"}, "user_id must be a user"),
    ],
)
def test_control_calls_that_make_no_sense_are_refused(
    sandbox: Sandbox, path: str, body: dict[str, Any], words: str
) -> None:
    with pytest.raises(SandboxFailed, match=words):
        sandbox._call("POST", f"remnawave/{path}", body)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nothing": 1}, "nothing is unknown"),
        ({"bulk_delay_s": -1}, "bulk_delay_s must be a number"),
        ({"bulk_fail_ids": "1"}, "bulk_fail_ids must be a list"),
        ({"resets_traffic": 1}, "resets_traffic must be true or false"),
        ({"renamed_keys": {"a": 1}}, "renamed_keys must be an object"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    sandbox: Sandbox, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SandboxFailed, match=words):
        sandbox.panel.settings(**changes)


def test_the_same_seed_makes_the_same_users(sandbox: Sandbox) -> None:
    made: list[list[dict[str, Any]]] = []
    for _ in range(2):
        sandbox.reset("remnawave")
        sandbox.panel.seed(50, disabled_share=0.2, limited_share=0.2, unlinked_share=0.2, seed=3)
        names = ("id", "username", "status", "telegramId", "tag", "shortUuid")
        made.append([{name: user[name] for name in names} for user in sandbox.panel.users()])
    assert made[0] == made[1]
    assert {user["status"] for user in made[0]} == {"ACTIVE", "DISABLED", "LIMITED", "EXPIRED"}
    assert 0 < sum(user["telegramId"] is None for user in made[0]) < 25


def test_seeds_follow_each_other_and_never_share_a_name(sandbox: Sandbox) -> None:
    assert sandbox.panel.seed(3) == range(1, 4)
    assert sandbox.panel.seed(2, first_id=1000) == range(1000, 1002)
    assert sandbox.panel.user(1000)["telegramId"] == 500_001_000
    with pytest.raises(SandboxFailed, match="tg_500000002 exists"):
        sandbox.panel.seed(5, telegram_from=500_000_002)
    with pytest.raises(SandboxFailed, match="A019"):
        sandbox.panel.add(username="tg_500000001")
    assert sandbox.panel.stats()["users"]["total"] == 5
