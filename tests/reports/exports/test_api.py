"""Exports over REST."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from jobs.testing import drain
from lib.ids import uuid7
from reports.exports.models import Export
from reports.exports.services import export_order
from tests.reports.exports.conftest import ALL, Machine, Ordered, content
from tests.reports.exports.rows import act, paid, subscriber

ROOT = "/api/v1/exports"
JSON = "application/json"


@pytest.fixture
def api(machine: Machine) -> Client:
    return machine(*ALL)


def order(api: Client, body: dict[str, Any], **headers: str) -> Any:
    return api.post(ROOT, body, content_type=JSON, headers=headers)


def status(client: Client, path: str) -> int:
    """The status of a download, which is read to its end."""
    answer = client.get(path)
    b"".join(answer)
    return answer.status_code


def test_an_order_becomes_a_file(api: Client) -> None:
    paid(7)
    answer = order(
        api, {"type": "payments", "format": "jsonl", "filters": {"state": ["completed"]}}
    )
    assert answer.status_code == 202
    ordered = answer.json()
    assert (ordered["state"], ordered["link"], ordered["requested_by"]) == (
        "waiting",
        "",
        "machine",
    )
    drain()
    found = api.get(f"{ROOT}/{ordered['id']}").json()
    assert (found["state"], found["rows"], found["downloads"]) == ("done", 1, 0)
    file: Any = api.get(f"{ROOT}/{ordered['id']}/download")
    assert b"".join(file.streaming_content) == content(Export.objects.get())
    assert file["Content-Type"] == "application/x-ndjson"
    assert status(Client(), found["file_link"].split("8000")[1]) == 200
    assert AuditEntry.objects.filter(action="exports.download").count() == 3


def test_a_repeated_key_orders_once(api: Client) -> None:
    body = {"type": "audit"}
    first = order(api, body, **{"Idempotency-Key": "monday"})
    again = order(api, body, **{"Idempotency-Key": "monday"})
    assert (first.json(), again["Idempotent-Replayed"]) == (again.json(), "true")
    assert Export.objects.count() == 1
    other = order(api, {"type": "users"}, **{"Idempotency-Key": "monday"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"type": "secrets"}, "invalid"),
        ({"type": "users", "colour": "red"}, "invalid"),
        ({"type": "users", "filters": {"colour": "red"}}, "invalid_filter"),
        ({"type": "users", "columns": ["password"]}, "invalid_export"),
        ({"type": "users", "since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"},
         "invalid_export"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(api: Client, body: dict[str, Any], code: str) -> None:
    answer = order(api, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_who_may_what(machine: Machine, written: Ordered) -> None:
    act()
    export = written("audit")
    one = f"{ROOT}/{export.pk}"
    assert Client().get(ROOT).status_code == 401
    viewer = machine("exports.view_export", name="viewer")
    assert viewer.get(one).json()["link"] == ""
    assert viewer.get(f"{one}/download").status_code == 403
    assert order(viewer, {"type": "audit"}).status_code == 403
    assert viewer.delete(one).status_code == 403
    blind = machine("exports.add_export", "exports.view_export", name="blind")
    denied = blind.get(f"{one}/download")
    assert (denied.status_code, denied.json()["code"]) == (403, "permission_denied")
    assert "jobs.view_auditentry" in denied.json()["detail"]
    assert blind.get(one).json()["file_link"] == ""
    seeing = machine("exports.add_export", "jobs.view_auditentry", name="seeing")
    assert status(seeing, f"{one}/download") == 200


def test_cancel_revoke_and_delete(api: Client) -> None:
    waiting = order(api, {"type": "audit"}).json()["id"]
    cancelled = api.post(f"{ROOT}/{waiting}/actions/cancel", {}, content_type=JSON)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    drain()
    done = order(api, {"type": "audit"}).json()["id"]
    drain()
    before = api.get(f"{ROOT}/{done}").json()["file_link"]
    after = api.post(f"{ROOT}/{done}/actions/revoke", {}, content_type=JSON).json()["file_link"]
    assert before != after
    assert status(Client(), before.split("8000")[1]) == 410
    assert status(Client(), after.split("8000")[1]) == 200
    gone = api.delete(f"{ROOT}/{done}")
    assert (gone.status_code, gone.json()["state"], gone.json()["link"]) == (200, "deleted", "")
    assert api.get(f"{ROOT}/{done}/download").status_code == 410
    late = api.post(f"{ROOT}/{done}/actions/cancel", {}, content_type=JSON)
    assert (late.status_code, late.json()["code"]) == (409, "export_state")
    assert api.get(f"{ROOT}/{uuid7()}").json()["code"] == "export_unknown"


def test_what_is_not_done_cannot_be_downloaded(api: Client) -> None:
    waiting = order(api, {"type": "audit"}).json()["id"]
    answer = api.get(f"{ROOT}/{waiting}/download")
    assert (answer.status_code, answer.json()["code"]) == (409, "export_state")


def test_pages_go_on_by_cursor_and_cost_the_same(
    api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [str(export_order(type=name).pk) for name in ("users", "audit") * 3][::-1]
    api.get(ROOT)  # permissions are asked of the database once
    found, cursor = [], ""
    while True:
        page = api.get(f"{ROOT}?limit=4{cursor}").json()
        found += [each["id"] for each in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == rows
    assert len(api.get(f"{ROOT}?type=users").json()["items"]) == 3
    assert api.get(f"{ROOT}?mine=true").json()["items"] == []
    assert api.get(f"{ROOT}?state=gone").status_code == 422
    with django_assert_num_queries(5):  # token, three of permissions, the rows
        api.get(f"{ROOT}?limit=2")


def test_the_types_tell_their_columns_and_filters(api: Client) -> None:
    types = {each["name"]: each for each in api.get(f"{ROOT}/types").json()["items"]}
    assert list(types) == ["users", "payments", "servers", "audit"]
    columns = {each["name"]: each for each in types["payments"]["columns"]}
    assert columns["amount"] == {
        "name": "amount", "kind": "money", "help": "price", "is_usual": True,
    }  # fmt: skip
    states = next(each for each in types["payments"]["filters"] if each["name"] == "state")
    assert "completed" in states["choices"]


def test_an_estimate_asks_the_planner(api: Client) -> None:
    subscriber(1)
    body = {"type": "users", "filters": {"status": ["ACTIVE"]}}
    answer = api.post(f"{ROOT}/estimate", body, content_type=JSON)
    assert answer.status_code == 200
    assert answer.json()["rows"] >= 0
    wrong = api.post(f"{ROOT}/estimate", {"type": "users", "filters": {"x": 1}}, content_type=JSON)
    assert wrong.status_code == 422
