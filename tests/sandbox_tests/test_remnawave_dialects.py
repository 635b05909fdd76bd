"""Two dialects, switched in the middle of a run, and a version nobody knows."""

import pytest

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.panel_api import PanelApi


def test_the_same_user_has_another_key_in_each_dialect(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add(telegramId=500100201)
    assert "uuid" not in user
    sandbox.panel.dialect("2.8")
    (old,) = api.get("users/by-telegram-id/500100201")
    assert {**user, "uuid": old["uuid"]} == old
    assert api.get(f"users/{old['uuid']}") == old
    assert api.get("users/by-telegram-id/1") == []
    sandbox.panel.dialect("3")
    assert api.get(f"users/{user['id']}") == user


def test_a_key_of_the_other_dialect_is_refused_by_its_form(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add()
    sandbox.panel.dialect("2.8")
    uuid = api.get(f"users/by-id/{user['id']}")["uuid"]
    assert api.ask("GET", f"users/{user['id']}").status_code == 400
    patched = api.change("PATCH", "users", {"uuid": uuid, "tag": "PRO"})
    assert (patched["tag"], patched["uuid"]) == ("PRO", uuid)
    sandbox.panel.dialect("3")
    answer = api.ask("GET", f"users/{uuid}")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, ["userId"])
    assert api.ask("PATCH", "users", {"uuid": uuid, "tag": "OLD"}).status_code == 400
    assert sandbox.panel.user(user["id"])["tag"] == "PRO"


def test_routes_of_the_other_dialect_do_not_exist(sandbox: Sandbox, api: PanelApi) -> None:
    answer = api.ask("GET", "users/by-telegram-id/500100201")
    assert (answer.status_code, answer.json()) == (
        404,
        {
            "message": "Cannot GET /api/users/by-telegram-id/500100201",
            "error": "Not Found",
            "statusCode": 404,
        },
    )
    sandbox.panel.dialect("2.7")
    assert api.ask("GET", "users/stream").status_code == 400  # taken for a uuid
    assert api.ask("POST", "users/1/actions/extend", {"days": 1}).status_code == 404


def test_v2_answers_a_delete_with_a_body(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add()
    sandbox.panel.dialect("2.8")
    uuid = api.get(f"users/by-id/{user['id']}")["uuid"]
    assert api.change("DELETE", f"users/{uuid}") == {"isDeleted": True}


def test_the_metadata_tell_the_version(sandbox: Sandbox, api: PanelApi) -> None:
    assert api.get("system/metadata")["version"] == "3.3.2"
    for name, version in (("2.8", "2.8.1"), ("2.7", "2.7.4"), ("3.9.0", "3.9.0")):
        sandbox.panel.dialect(name)
        assert api.get("system/metadata")["version"] == version
    for name in ("1.6", "2.6.1", "x", "3.1"):
        with pytest.raises(SandboxFailed, match="version must be one of"):
            sandbox.panel.dialect(name)


def test_keys_can_be_renamed_as_a_new_contract_would(sandbox: Sandbox, api: PanelApi) -> None:
    user = sandbox.panel.add()
    sandbox.panel.settings(renamed_keys={"expireAt": "expiresAt"})
    shown = api.get(f"users/{user['id']}")
    assert "expireAt" not in shown
    assert shown["expiresAt"] == user["expireAt"]
