"""Bulk operations over REST."""

import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from subscriptions.bulk import agreeing
from subscriptions.bulk.files import FileInvalid, names_read
from subscriptions.models import BulkKind, BulkOperation, Subscriber
from tests.subscriptions.bulk.rows import rows_make

PATH = "/api/v1/bulk-operations"
Account = Callable[..., User]


@pytest.fixture
def call(client: Client, account: Account) -> Callable[..., Any]:
    """A caller with some permissions: call("POST", path, body, may=(...))."""

    def ask(
        method: str, path: str, body: Any = None, *, may: tuple[str, ...] = (), **headers: str
    ) -> Any:
        user = User.objects.filter(username="olga").first() or account("olga", *may)
        client.force_login(user)
        return client.generic(
            method, f"{PATH}{path}", orjson.dumps(body) if body is not None else b"",
            content_type="application/json", headers=headers,
        )  # fmt: skip

    return ask


MAY = ("subscriptions.view_bulkoperation", "subscriptions.operate_bulkoperation")


def test_an_operation_is_started_read_and_listed(call: Callable[..., Any]) -> None:
    rows = rows_make(3)
    body = {"operation": "disable", "subscriber_ids": [row.pk for row in rows]}
    answer = call("POST", "", body, may=MAY)
    assert answer.status_code == 202, answer.content
    made = answer.json()
    assert (made["state"], made["total"], made["pending"]) == ("running", 3, 3)
    one = call("GET", f"/{made['id']}").json()
    assert one == made | {"started_at": one["started_at"], "created_at": one["created_at"]}
    assert [each["id"] for each in call("GET", "?state=running").json()["items"]] == [made["id"]]
    items = call("GET", f"/{made['id']}/items?state=pending").json()["items"]
    assert [item["given"] for item in items] == [row.username for row in reversed(rows)]


def test_the_same_key_starts_one_operation(call: Callable[..., Any]) -> None:
    (row,) = rows_make(1)
    body = {"operation": "disable", "usernames": [row.username]}
    answers = [call("POST", "", body, may=MAY, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert BulkOperation.objects.count() == 1
    other = call("POST", "", body | {"operation": "enable"}, **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "disable"}, "invalid_selection"),
        ({"operation": "disable", "usernames": [], "filter": {}}, "invalid_selection"),
        ({"operation": "disable", "subscriber_ids": [0]}, "invalid_selection"),
        ({"operation": "disable", "user_uuids": ["x"]}, "invalid_selection"),
        ({"operation": "disable", "filter": {"colour": "red"}}, "invalid_filter"),
        ({"operation": "disable", "filter": {"status": ["SICK"]}}, "invalid_filter"),
        ({"operation": "disable", "filter": {"expires_before": "soon"}}, "invalid_filter"),
        ({"operation": "extend", "usernames": ["a"]}, "invalid_params"),
        ({"operation": "extend", "usernames": ["a"], "params": {"days": 0}}, "invalid_params"),
        ({"operation": "enable", "usernames": ["a"], "params": {"days": 1}}, "invalid_params"),
        ({"operation": "explode", "usernames": ["a"]}, "invalid"),
        ({"operation": "import", "usernames": ["a"]}, "invalid"),
    ],
)
def test_bad_input_is_said_and_starts_nothing(
    call: Callable[..., Any], body: dict[str, Any], code: str
) -> None:
    answer = call("POST", "", body, may=MAY)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not BulkOperation.objects.exists()


def test_too_long_a_list_is_refused(call: Callable[..., Any]) -> None:
    body = {"operation": "disable", "subscriber_ids": list(range(1, 100_002))}
    answer = call("POST", "", body, may=MAY)
    assert (answer.status_code, answer.json()["code"]) == (413, "selection_too_large")


def test_a_preview_counts_and_shows_but_does_nothing(call: Callable[..., Any]) -> None:
    rows = rows_make(4)
    Subscriber.objects.filter(pk=rows[0].pk).update(status="DISABLED")
    names = [row.username for row in rows] + ["nobody", rows[1].username]
    answer = call("POST", "/preview", {"operation": "disable", "usernames": names}, may=MAY)
    found = answer.json()
    assert (found["total"], found["would_change"], found["duplicates"]) == (5, 3, 1)
    assert found["left_alone"] == {"already_disabled": 1, "unknown": 1}
    assert [each["after"] for each in found["sample"]] == ["disabled"] * 3
    assert not BulkOperation.objects.exists()


def test_each_door_has_its_permission(call: Callable[..., Any]) -> None:
    (row,) = rows_make(1)
    body = {"operation": "disable", "usernames": [row.username]}
    may = ("subscriptions.view_bulkoperation",)
    assert call("POST", "/preview", body, may=may).status_code == 200
    assert call("POST", "", body).status_code == 403
    operation = BulkOperation.objects.create(kind="disable", source="api")
    for act in ("pause", "resume", "cancel", "retry-failed", "undo"):
        assert call("POST", f"/{operation.pk}/actions/{act}").status_code == 403


def test_acts_answer_with_the_operation(call: Callable[..., Any]) -> None:
    rows = rows_make(2)
    body = {"operation": "disable", "subscriber_ids": [row.pk for row in rows]}
    made = call("POST", "", body, may=MAY).json()
    one = f"/{made['id']}"
    assert call("POST", f"{one}/actions/pause").json()["state"] == "paused"
    assert call("POST", f"{one}/actions/resume").json()["state"] == "running"
    cancelled = call("POST", f"{one}/actions/cancel").json()
    assert (cancelled["state"], cancelled["skipped"]) == ("cancelled", 2)
    refused = call("POST", f"{one}/actions/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "bulk_operation_state")
    unknown = call("POST", "/00000000-0000-0000-0000-000000000001/actions/cancel")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "bulk_operation_unknown")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three are many."""
    monkeypatch.setattr(
        agreeing, "CONFIRM_ABOVE", dict.fromkeys([BulkKind.DISABLE, BulkKind.DELETE], 2)
    )


@pytest.mark.parametrize("kind", ["disable", "delete"])
@pytest.mark.parametrize("is_filter", [True, False])
def test_what_cuts_many_begins_only_with_their_number(
    call: Callable[..., Any], few: None, kind: str, is_filter: bool
) -> None:
    rows = rows_make(3)
    whom = (
        {"filter": {"status": ["ACTIVE"]}}
        if is_filter
        else {"usernames": [row.username for row in rows]}
    )
    body = {"operation": kind, **whom}
    refused = call("POST", "", body, may=MAY, **{"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["code"]) == (409, "bulk_not_confirmed")
    assert refused.json()["would_change"] == 3
    assert not BulkOperation.objects.exists()
    begun = call("POST", "", body | {"confirm": 3}, **{"Idempotency-Key": "k"})
    assert begun.status_code == 202, begun.content
    assert BulkOperation.objects.get().selection["meant"] == 3


def test_few_of_many_names_need_no_number(call: Callable[..., Any], few: None) -> None:
    """It counts whom it would change: of these, one is disabled already and one is nobody."""
    rows = rows_make(3)
    Subscriber.objects.filter(pk=rows[0].pk).update(status="DISABLED")
    names = [row.username for row in rows] + ["nobody"]
    answer = call("POST", "", {"operation": "disable", "usernames": names}, may=MAY)
    assert answer.status_code == 202, answer.content


def test_who_gives_more_to_many_need_not_count_them(call: Callable[..., Any], few: None) -> None:
    rows_make(3)
    body = {"operation": "extend", "params": {"days": 3}, "filter": {}}
    assert call("POST", "", body, may=MAY).status_code == 202


@pytest.mark.parametrize(
    ("confirm", "status"), [(0, 409), (4, 409), (5, 202), (10, 202), (15, 202), (16, 409)]
)
def test_a_number_that_is_said_is_held_against_the_count(
    call: Callable[..., Any], confirm: int, status: int
) -> None:
    rows_make(10)
    body = {"operation": "extend", "params": {"days": 3}, "filter": {}, "confirm": confirm}
    answer = call("POST", "", body, may=MAY)
    assert answer.status_code == status, answer.content
    assert BulkOperation.objects.exists() == (status == 202)


def test_a_large_file_begins_only_with_its_number(
    client: Client, account: Account, few: None
) -> None:
    client.force_login(account("olga", *MAY))
    text = "username\n" + "\n".join(row.username for row in rows_make(3))

    def send(**more: Any) -> Any:
        file = SimpleUploadedFile("people.csv", text.encode())
        return client.post(f"{PATH}/upload", {"operation": "disable", "file": file, **more})

    assert send().json()["code"] == "bulk_not_confirmed"
    assert send(confirm=3).status_code == 202
    assert BulkOperation.objects.count() == 1


def test_a_file_starts_an_operation(client: Client, account: Account) -> None:
    (row,) = rows_make(1)
    client.force_login(account("olga", *MAY))
    file = SimpleUploadedFile("people.csv", f"username\n{row.username}\n".encode())
    answer = client.post(f"{PATH}/upload", {"operation": "extend", "days": 3, "file": file})
    assert answer.status_code == 202, answer.content
    assert (answer.json()["source"], answer.json()["total"]) == ("csv", 1)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"ivan\nanna\n", {"usernames": ["ivan", "anna"]}),
        (b"\xef\xbb\xbfUser Name;Tag\nivan;A\n\nanna;B\n", {"usernames": ["ivan", "anna"]}),
        (b"tag,panel_id\r\nA,7\r\nB,\r\n", {"panel_ids": ["7"]}),
        (b'uuid\t"note"\nx\t"a\nb"\n', {"user_uuids": ["x"]}),
    ],
)
def test_a_file_names_people_in_one_column(raw: bytes, found: dict[str, list[str]]) -> None:
    assert names_read(io.BytesIO(raw)) == found


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"a,b\n1,2\n", b"username\n\xff\xfe\n", b"user\x00name\nx\n"]
)
def test_a_file_that_tells_nobody_is_refused(raw: bytes) -> None:
    with pytest.raises(FileInvalid):
        names_read(io.BytesIO(raw))


def test_a_file_that_is_sent_again_under_its_key_begins_nothing_new(
    client: Client, account: Account
) -> None:
    (row,) = rows_make(1)
    client.force_login(account("anna", *MAY))

    def send(days: str) -> Any:
        file = SimpleUploadedFile("list.csv", f"username\n{row.username}\n".encode())
        return client.post(
            f"{PATH}/upload", {"operation": "extend", "days": days, "file": file},
            headers={"Idempotency-Key": "upload-1"},
        )  # fmt: skip

    first, second, other = send("5"), send("5"), send("6")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert BulkOperation.objects.count() == 1
