"""Broadcasts over REST: the addresses of the contract, who may, what is refused."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.accounts import token_issue
from jobs.models import AuditEntry
from jobs.testing import drain
from lib import clock
from notifications.broadcasts.models import Broadcast, Status
from notifications.inbox.models import Notification
from tests.notifications.broadcasts.rows import EVERYBODY, adds_up, broadcast_make, people_make

URL = "/v1/admin/notifications/broadcasts"
EVERYTHING = tuple(
    f"broadcasts.{verb}_broadcast" for verb in ("view", "add", "change", "send", "operate")
)
# As the source writes it.
LAUNCH = {
    "title": "Feature launch",
    "body": "We are live!",
    "created_by": "ops",
    "audience": {"type": "all_users"},
    "scheduled_at": "2025-09-26T12:00:00Z",
}

Make = Callable[..., Client]


@pytest.fixture
def caller(account: Callable[..., User]) -> Make:
    def make(*permissions: str, name: str = "machine") -> Client:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return Client(headers={"Authorization": f"Bearer {issued.token}"})

    return make


@pytest.fixture
def api(caller: Make) -> Client:
    return caller(*EVERYTHING)


def post(api: Client, url: str, body: Any = None) -> Any:
    if body is None:
        return api.generic("POST", url)  # as curl without -d: no body, no type
    return api.post(url, body, content_type="application/json")


def act(api: Client, row: Broadcast, name: str, body: Any = None) -> Any:
    return post(api, f"{URL}/{row.pk}/actions/{name}", body)


def test_the_commands_of_the_contract_work_as_written(api: Client) -> None:
    people_make(3)
    answer = post(api, URL, {**LAUNCH, "scheduled_at": "2099-09-26T12:00:00Z"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["created_by"], body["channels"]) == ("scheduled", "ops", ["inbox"])
    assert answer["Location"] == f"{URL}/{body['id']}"

    answer = post(api, f"{URL}/{body['id']}/actions/send-now")
    assert answer.status_code == 200
    assert answer.json()["status"] == "sending"
    drain()

    shown = api.get(f"{URL}/{body['id']}").json()
    assert (shown["status"], shown["total"], shown["sent"], shown["failed"]) == ("sent", 3, 3, 0)
    assert Notification.objects.count() == 3


def test_a_moment_that_is_over_starts_it_at_once(api: Client) -> None:
    people_make(2)
    made = post(api, URL, LAUNCH).json()
    drain()
    assert adds_up(made["id"]).status == Status.SENT


def test_a_session_needs_the_csrf_token_under_either_name(account: Callable[..., User]) -> None:
    account("olga", *EVERYTHING, is_staff=True)
    web = Client(enforce_csrf_checks=True)
    web.login(username="olga", password="a-long-password")
    answer = web.post(URL, LAUNCH, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    web.get("/admin/login/")
    token = web.get("/admin/").cookies.get("csrftoken") or web.cookies.get("csrftoken")
    assert token is not None
    for name in ("X-CSRF-Token", "X-CSRFToken"):
        answer = web.post(URL, LAUNCH, content_type="application/json", headers={name: token.value})
        assert answer.status_code == 201, name


def test_without_a_token_nobody_gets_in() -> None:
    answer = Client().get(URL)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("method", "tail", "needed"),
    [
        ("get", "", "view"),
        ("post", "", "add"),
        ("patch", "/{id}", "change"),
        ("get", "/{id}/ledger", "view"),
        ("get", "/{id}/progress", "view"),
        ("get", "/{id}/dry-run", "view"),
        ("get", "/{id}/preview", "view"),
        ("post", "/{id}/actions/send-now", "send"),
        ("post", "/{id}/actions/resume", "send"),
        ("post", "/{id}/actions/schedule", "send"),
        ("post", "/{id}/actions/resend-missing", "send"),
        ("post", "/{id}/actions/pause", "operate"),
        ("post", "/{id}/actions/cancel", "operate"),
        ("post", "/{id}/actions/recall", "operate"),
        ("post", "/{id}/actions/clone", "add"),
        ("post", "/{id}/actions/test-send", "send"),
    ],
)
def test_each_address_needs_its_own_permission(
    caller: Make, method: str, tail: str, needed: str
) -> None:
    others = [name for name in EVERYTHING if name != f"broadcasts.{needed}_broadcast"]
    url = URL + tail.format(id=broadcast_make().pk)
    answer = (
        getattr(caller(*others), method)(url, {}, content_type="application/json")
        if method != "get"
        else caller(*others).get(url)
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert needed in answer.json()["detail"]


def test_to_schedule_at_creation_needs_the_permission_to_send(caller: Make) -> None:
    writer = caller("broadcasts.add_broadcast")
    assert post(writer, URL, LAUNCH).status_code == 403
    draft = {name: value for name, value in LAUNCH.items() if name != "scheduled_at"}
    assert post(writer, URL, draft).json()["status"] == "draft"


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.PAUSED])
def test_who_may_not_send_changes_no_text_that_goes_out_by_itself(
    caller: Make, status: Status
) -> None:
    row = broadcast_make(scheduled_at=clock.now() + timedelta(days=1))
    Broadcast.objects.filter(pk=row.pk).update(status=status)
    writer = caller("broadcasts.add_broadcast", "broadcasts.change_broadcast")
    url, body = f"{URL}/{row.pk}", {"body": "Free beer"}
    assert writer.patch(url, body, content_type="application/json").status_code == 403
    Broadcast.objects.filter(pk=row.pk).update(status=Status.DRAFT)
    assert writer.patch(url, body, content_type="application/json").status_code == 200


def test_who_may_only_stop_may_take_back_and_write_nothing_to_anybody(caller: Make) -> None:
    row = broadcast_make()
    Broadcast.objects.filter(pk=row.pk).update(status=Status.SENT, total=1, sent=1)
    stopper = caller("broadcasts.operate_broadcast")
    assert act(stopper, row, "recall", {"mode": "edit", "body": "Free beer"}).status_code == 403
    assert act(stopper, row, "recall", {"mode": "delete"}).status_code == 200


def test_operators_may_all_of_it_and_support_may_look(account: Callable[..., User]) -> None:
    call_command("migrate", "config", verbosity=0)
    row = broadcast_make()
    for group, status in (("Operator", 200), ("Support", 403)):
        user = account(group)
        user.groups.add(Group.objects.get(name=group))
        token = token_issue(account=user, lifetime=timedelta(days=1)).token
        api = Client(headers={"Authorization": f"Bearer {token}"})
        assert api.get(f"{URL}/{row.pk}").status_code == 200
        assert act(api, row, "send-now").status_code == status, group


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": ""}, "title"),
        ({"body": ""}, "body"),
        ({"audience": {"type": "martians"}}, "audience"),
        ({"audience": "all_users"}, "audience"),
        ({"channels": ["pigeon"]}, "channels.0"),
        ({"channels": []}, "channels"),
        ({"parse_mode": "HTML", "body": "<b>open"}, "body"),
        ({"parse_mode": "Markdown"}, "parse_mode"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"canary_percent": 99}, "canary_percent"),
        ({"titel": "x"}, "titel"),
        ({"body": "x" * 4_100, "channels": ["telegram"]}, "body"),
        ({"scheduled_at": "tomorrow"}, "scheduled_at"),
    ],
)
def test_a_wrong_field_is_named(api: Client, change: dict[str, Any], field: str) -> None:
    answer = post(api, URL, {**LAUNCH, **change})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert not Broadcast.objects.exists()


def test_a_draft_can_be_edited_and_an_older_version_cannot(api: Client) -> None:
    row = broadcast_make()
    url = f"{URL}/{row.pk}"
    edited = api.patch(url, {"body": "Anew", "version": 1}, content_type="application/json")
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    late = api.patch(url, {"body": "Mine", "version": 1}, content_type="application/json")
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (
        409, "broadcast_changed", 2,
    )  # fmt: skip


def test_acts_on_a_broadcast_that_is_not_there_yet_or_is_over_are_refused(api: Client) -> None:
    row = broadcast_make()
    answer = act(api, row, "pause")
    assert (answer.status_code, answer.json()["code"], answer.json()["broadcast_status"]) == (
        409, "broadcast_state", "draft",
    )  # fmt: skip
    missing = post(api, f"{URL}/{uuid4()}/actions/cancel")
    assert (missing.status_code, missing.json()["code"]) == (404, "broadcast_unknown")


def test_pause_resume_cancel_clone_and_the_trail_they_leave(api: Client) -> None:
    people_make(2)
    row = broadcast_make()
    assert act(api, row, "send-now").json()["status"] == "sending"
    paused = act(api, row, "pause", {"reason": "wrong price"}).json()
    assert (paused["status"], paused["paused_reason"]) == ("paused", "wrong price")
    assert act(api, row, "resume").json()["status"] == "sending"
    assert act(api, row, "cancel").json()["status"] == "cancelled"
    assert act(api, row, "clone").status_code == 201
    acts = AuditEntry.objects.filter(action__startswith="broadcasts.", account_name="machine")
    assert list(acts.order_by("pk").values_list("action", flat=True)) == [
        "broadcasts.send_now", "broadcasts.pause", "broadcasts.resume", "broadcasts.cancel",
        "broadcasts.clone",
    ]  # fmt: skip


def test_who_missed_it_is_found_and_told_again(api: Client) -> None:
    people = people_make(5)
    people[2].muted_sources = ["broadcast"]
    people[2].save()
    row = broadcast_make()
    act(api, row, "send-now")
    drain()
    answer = act(api, row, "resend-missing", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_missing")

    ledger = api.get(f"{URL}/{row.pk}/ledger?fate=skipped,failed").json()
    assert [(each["login"], each["reason"], each["text"]) for each in ledger["items"]] == [
        ("u3", "muted", "The person has muted broadcasts.")
    ]
    progress = api.get(f"{URL}/{row.pk}/progress").json()
    assert progress["channels"]["inbox"]["sent"] == 4
    assert progress["reasons"][0]["count"] == 1
    assert progress["actions"] == ["resend_missing", "recall", "clone"]


def test_the_ledger_comes_in_pages_and_can_be_searched(
    api: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    people_make(7)
    row = broadcast_make()
    act(api, row, "send-now")
    drain()
    url = f"{URL}/{row.pk}/ledger?limit=3"
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        with django_assert_max_num_queries(8):
            page = api.get(f"{url}&cursor={cursor}").json()
        seen += [each["login"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"u{n}" for n in range(1, 8)]
    for search in ("u3", "3"):
        found = api.get(f"{URL}/{row.pk}/ledger?search={search}").json()["items"]
        assert [each["login"] for each in found] == ["u3"]
    for bad in ("limit=x", "cursor=-1", "fate=lost"):
        assert api.get(f"{URL}/{row.pk}/ledger?{bad}").status_code == 422


def test_the_list_comes_in_pages_newest_first(
    api: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [broadcast_make(title=f"no {n}") for n in range(5)]
    with django_assert_max_num_queries(7):
        page = api.get(f"{URL}?limit=3").json()
    assert [each["title"] for each in page["items"]] == ["no 4", "no 3", "no 2"]
    page = api.get(f"{URL}?limit=3&cursor={page['next_cursor']}").json()
    assert [each["title"] for each in page["items"]] == ["no 1", "no 0"]
    act(api, rows[1], "cancel")
    page = api.get(f"{URL}?status=cancelled").json()
    assert [each["id"] for each in page["items"]] == [str(rows[1].pk)]
    assert api.get(f"{URL}?status=lost").status_code == 422


def test_a_dry_run_counts_and_a_preview_shows(api: Client) -> None:
    people_make(3, telegram=True)
    people_make(2, first=50, language="ru", muted_sources=["broadcast"])
    row = broadcast_make(channels=["inbox", "telegram"], body_ru="Мы в эфире!")
    assert api.get(f"{URL}/{row.pk}/dry-run").json() == {
        "people": 5,
        "channels": {
            "inbox": {"send": 3, "muted": 2},
            "telegram": {"send": 3, "no_telegram": 2, "muted": 0, "duplicate_chat": 0},
        },
        "languages": {"en": 3, "ru": 2},
        "unmatched": 0,
    }
    texts = api.get(f"{URL}/{row.pk}/preview").json()["texts"]
    assert [(each["channel"], each["language"]) for each in texts] == [
        ("inbox", "en"), ("inbox", "ru"), ("telegram", "en"), ("telegram", "ru"),
    ]  # fmt: skip
    assert texts[1]["text"] == "Feature launch\n\nМы в эфире!"
    assert not Notification.objects.exists()


def test_a_file_becomes_an_audience_over_rest(caller: Make) -> None:
    people_make(3)
    file = io.BytesIO(b"user_id,login\n1,u1\n2,u2\n9,u9\n")
    file.name = "vip.csv"
    url = "/v1/admin/notifications/audiences"
    assert caller(*EVERYTHING).post(url, {"name": "VIP", "file": file}).status_code == 403
    file.seek(0)
    api = caller("broadcasts.add_audience", "broadcasts.view_broadcast", name="importer")
    answer = api.post(url, {"name": "VIP", "file": file})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["members"], body["rejected"], body["rejects"][0]["line"]) == (2, 1, 4)
    audience = {"type": "csv", "audience_id": body["audience_id"]}
    assert post(api, f"{url}/count", {"audience": audience}).json() == {"people": 2}
    assert post(api, f"{url}/count", {"audience": EVERYBODY}).json() == {"people": 3}


def test_schedule_test_send_and_recall_over_rest(api: Client) -> None:
    people_make(2)
    row = broadcast_make()
    at = "2099-01-01T12:00:00Z"
    answer = act(api, row, "schedule", {"scheduled_at": at, "time_zone": "Europe/Berlin"})
    assert (answer.status_code, answer.json()["status"]) == (200, "scheduled")
    assert (answer.json()["scheduled_at"], answer.json()["time_zone"]) == (at, "Europe/Berlin")
    assert act(api, row, "schedule", {"scheduled_at": None}).json()["status"] == "draft"

    answer = act(api, row, "test-send", {"user_id": 1, "login": "u1"})
    assert (answer.status_code, answer.json()) == (200, {"channels": {"inbox": "unread"}})
    assert act(api, row, "test-send", {}).status_code == 422

    assert act(api, row, "recall").json()["code"] == "broadcast_state"
    act(api, row, "send-now")
    drain()
    answer = act(api, row, "recall", {"mode": "edit", "body": "At 12:00"})
    assert (answer.status_code, answer.json()["recall"]["state"]) == (200, "running")
    drain()
    shown = api.get(f"{URL}/{row.pk}").json()
    assert (shown["recall"]["state"], shown["recall"]["done"], shown["body"]) == (
        "done",
        2,
        "At 12:00",
    )
    for name, body in (
        ("schedule", {"scheduled_at": "soon"}),
        ("recall", {"mode": "forget"}),
        ("pause", {"why": "x"}),
        ("resend-missing", {"rows": ["x"]}),
    ):
        assert act(api, row, name, body).status_code == 422, name
