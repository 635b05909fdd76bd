"""Rules, batches and files over REST."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.accounts import token_issue
from jobs.testing import drain
from lib.ids import uuid7
from monitoring.files.models import FileBatch, FileEvent, Rule
from tests.monitoring.files.rows import Drop, look, settle

URL = "/api/v1/file-watch"
PERMISSIONS = (
    "files.view_rule", "files.add_rule", "files.change_rule", "files.delete_rule",
    "files.operate_rule", "files.view_filebatch", "files.view_watchedfile",
)  # fmt: skip

CallerMake = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> CallerMake:
    """A machine with a token and these permissions."""

    def make(*permissions: str) -> Client:
        issued = token_issue(account=account("machine", *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: CallerMake) -> Client:
    return caller(*PERMISSIONS)


def new_rule(drop: Drop, **fields: Any) -> dict[str, Any]:
    return {
        "name": "imports",
        "directory": str(drop.path),
        "patterns": ["*.csv"],
        "action": "telegram",
        "options": {"chat": 500},
        **fields,
    }


def send(api: Client, method: str, path: str, body: Any = None) -> Any:
    return api.generic(method, f"{URL}{path}", _json(body), content_type="application/json")


def _json(body: Any) -> str:
    import orjson

    return orjson.dumps(body).decode() if body is not None else ""


def test_a_rule_is_made_looked_at_edited_and_deleted(api: Client, drop: Drop) -> None:
    answer = send(api, "POST", "/rules", new_rule(drop))
    assert answer.status_code == 201
    made = answer.json()
    assert made["changes"] == ["added", "modified", "moved", "deleted"]
    assert (made["debounce_ms"], made["condition"], made["version"]) == (500, "unwatched", 1)
    assert made["options"] == {"chat": 500, "language": "en"}
    path = f"/rules/{made['id']}"
    assert api.get(f"{URL}{path}").json() == made
    edited = send(api, "PATCH", path, {"patterns": ["*.tsv"], "version": 1}).json()
    assert (edited["patterns"], edited["version"], edited["name"]) == (["*.tsv"], 2, "imports")
    refused = send(api, "PATCH", path, {"patterns": ["*"], "version": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "rule_changed")
    assert send(api, "DELETE", path).status_code == 204
    assert api.get(f"{URL}{path}").json()["code"] == "rule_unknown"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"directory": "/etc"}, "directory_refused"),
        ({"directory": "drop"}, "directory_refused"),
        ({"directory": "{drop}/../outside"}, "directory_refused"),
        ({"directory": "{drop}/link/x"}, "directory_refused"),
        ({"patterns": []}, "invalid_rule"),
        ({"patterns": ["a/../b"]}, "invalid_rule"),
        ({"changes": ["renamed"]}, "invalid_rule"),
        ({"changes": []}, "invalid_rule"),
        ({"debounce_ms": 1}, "invalid"),
        ({"action": "launch"}, "invalid_rule"),
        ({"options": {}}, "invalid_rule"),
        ({"options": {"chat": "me"}}, "invalid_rule"),
        ({"name": " "}, "invalid"),
        ({"pattern": "*"}, "invalid"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    api: Client, drop: Drop, fields: dict[str, Any], code: str
) -> None:
    (drop.path / "link").symlink_to(drop.outside)
    given = {
        name: value.replace("{drop}", str(drop.path)) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    answer = send(api, "POST", "/rules", new_rule(drop, **given))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"]
    assert not Rule.objects.exists()


def test_two_rules_do_not_share_a_name(api: Client, drop: Drop, rule: Rule) -> None:
    answer = send(api, "POST", "/rules", new_rule(drop, name=rule.name))
    assert (answer.status_code, answer.json()["code"]) == (409, "rule_name_taken")


def test_rules_are_paused_resumed_and_scanned(api: Client, rule: Rule) -> None:
    path = f"/rules/{rule.pk}/actions"
    assert send(api, "POST", f"{path}/pause").json()["condition"] == "paused"
    assert send(api, "POST", f"{path}/pause").status_code == 200
    assert send(api, "POST", f"{path}/scan").json()["code"] == "rule_changed"
    assert send(api, "POST", f"{path}/resume").json()["paused_at"] is None
    assert send(api, "POST", f"{path}/scan").status_code == 200
    rule.refresh_from_db()
    assert rule.scan_wanted_at
    assert rule.version == 3
    assert send(api, "POST", "/rules/404/actions/pause").status_code == 404


def test_the_dry_run_lists_what_matches(api: Client, rule: Rule, drop: Drop) -> None:
    drop.write("a.csv", "abc")
    drop.write("a.txt")
    found = api.get(f"{URL}/rules/{rule.pk}/matches").json()
    assert [(match["path"], match["standing"]) for match in found["matches"]] == [("a.csv", "new")]
    assert (found["count"], found["size"], found["looked"]) == (1, 3, 2)
    draft = send(api, "POST", "/rules/try", new_rule(drop, patterns=["*.txt"])).json()
    assert [match["path"] for match in draft["matches"]] == ["a.txt"]
    assert Rule.objects.count() == 1
    assert send(api, "POST", "/rules/try", new_rule(drop, directory="/etc")).status_code == 422


def test_a_batch_its_files_and_a_retry(api: Client, rule: Rule, drop: Drop) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        drop.write(name, name)
    settle()
    look(rule)
    drain(queues=["default"])
    FileEvent.objects.filter(path="b.csv").update(outcome="failed", reason="It has no header.")
    FileBatch.objects.update(done=2, failed=1)
    (batch,) = api.get(f"{URL}/batches?rule={rule.pk}&state=failed").json()["items"]
    assert (batch["total"], batch["done"], batch["failed"], batch["pending"]) == (3, 2, 1, 0)
    assert api.get(f"{URL}/batches/{batch['id']}").json() == batch
    files = f"{URL}/batches/{batch['id']}/files"
    first = api.get(f"{files}?limit=2").json()
    second = api.get(f"{files}?limit=2&cursor={first['next_cursor']}").json()
    assert [each["path"] for each in first["items"] + second["items"]] == [
        "a.csv",
        "b.csv",
        "c.csv",
    ]
    assert second["next_cursor"] is None
    (failed,) = api.get(f"{files}?outcome=failed").json()["items"]
    assert failed["reason"] == "It has no header."
    assert send(api, "POST", f"/batches/{batch['id']}/actions/retry").json() == {"files": 1}
    again = send(api, "POST", f"/batches/{batch['id']}/actions/retry")
    assert (again.status_code, again.json()["code"]) == (409, "batch_not_failed")
    index = api.get(f"{URL}/files?rule={rule.pk}&path=a").json()["items"]
    assert [(each["path"], each["state"]) for each in index] == [("a.csv", "present")]


@pytest.mark.parametrize(
    "path",
    [
        "/batches?limit=0", "/batches?limit=x", "/batches?cursor=x", "/batches?rule=x",
        "/batches?state=lost", "/rules?cursor=x", "/rules?condition=x", "/files?state=x",
        "/files?cursor=99999999999999999999",
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_used_are_named(api: Client, path: str) -> None:
    answer = api.get(f"{URL}{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_nothing_is_open_without_its_permission(
    caller: CallerMake, client: Client, rule: Rule, drop: Drop
) -> None:
    doors = {
        ("GET", "/rules"): "files.view_rule",
        ("POST", "/rules"): "files.add_rule",
        ("POST", "/rules/try"): "files.add_rule",
        ("GET", f"/rules/{rule.pk}"): "files.view_rule",
        ("GET", f"/rules/{rule.pk}/matches"): "files.view_rule",
        ("PATCH", f"/rules/{rule.pk}"): "files.change_rule",
        ("POST", f"/rules/{rule.pk}/actions/pause"): "files.operate_rule",
        ("GET", "/batches"): "files.view_filebatch",
        ("GET", f"/batches/{uuid7()}"): "files.view_filebatch",
        ("GET", f"/batches/{uuid7()}/files"): "files.view_filebatch",
        ("POST", f"/batches/{uuid7()}/actions/retry"): "files.operate_rule",
        ("GET", "/files"): "files.view_watchedfile",
        ("GET", "/watchers"): "files.view_rule",
        ("DELETE", f"/rules/{rule.pk}"): "files.delete_rule",
    }
    nobody = caller()
    for method, path in doors:
        assert send(client, method, path).status_code == 401, path
        assert send(nobody, method, path).status_code == 403, path
    user = User.objects.get(username="machine")
    for (method, path), permission in doors.items():
        user.user_permissions.set([_permission(permission)])
        assert send(nobody, method, path, {}).status_code != 403, path


def _permission(name: str) -> Any:
    from django.contrib.auth.models import Permission

    app, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def test_who_watches_is_said(api: Client, rule: Rule) -> None:
    found = api.get(f"{URL}/watchers").json()
    assert found["watchers"] == []
    assert "python manage.py watch_files" in found["silence"]
