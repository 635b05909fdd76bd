"""Every error of the API has one shape, and none shows the inside."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from config.api.problems import CONTENT_TYPE

pytestmark = pytest.mark.usefixtures("probe_api")

FIELDS = {"type", "title", "status", "detail", "code", "instance", "correlation_id"}


@pytest.mark.parametrize(
    ("what", "status", "code", "detail"),
    [
        ("conflict", 409, "job_running", "job 7 is running"),
        ("domain-missing", 404, "not_found", "There is no job 7."),
        ("input", 422, "invalid", "Nothing to send."),
        ("large", 413, "too_large", "The input is larger than the limit."),
        ("later", 503, "unavailable", "Not possible now; try again later."),
        ("missing", 404, "not_found", "Not found."),
        ("denied", 403, "permission_denied", "Not yours."),
    ],
)
def test_what_a_view_raises_becomes_a_problem(
    client: Client, what: str, status: int, code: str, detail: str
) -> None:
    answer = client.get(f"/api/trouble/{what}", headers={"X-Correlation-ID": "from-outside-1"})
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer["Content-Type"] == CONTENT_TYPE
    assert (body["code"], body["detail"]) == (code, detail)
    assert body["instance"] == f"/api/trouble/{what}"
    assert body["correlation_id"] == "from-outside-1"
    assert set(body) >= FIELDS


def test_a_domain_error_adds_its_own_fields_but_overwrites_none(client: Client) -> None:
    body = client.get("/api/trouble/conflict").json()
    assert body["current_fence"] == 9
    assert body["status"] == 409


def test_who_should_come_later_is_told_when(client: Client) -> None:
    assert client.get("/api/trouble/later")["Retry-After"] == "2"


def test_a_bug_is_logged_and_says_nothing_about_the_inside(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.raise_request_exception = False
    answer = client.get("/api/trouble/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert b"the inside" not in answer.content
    assert b"ZeroDivision" not in answer.content
    (record,) = [record for record in caplog.records if record.name == "switchboard.api"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("path", ["/api/nowhere", "/v1/nowhere", "/webhooks/nowhere/"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_address_of_the_api_is_a_problem(
    client: Client, settings: Settings, path: str, debug: bool
) -> None:
    settings.DEBUG = debug
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == CONTENT_TYPE
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("debug", [True, False])
def test_a_bug_outside_of_the_framework_is_a_problem_under_the_api(
    client: Client, settings: Settings, debug: bool
) -> None:
    settings.DEBUG = debug
    client.raise_request_exception = False
    answer = client.get("/api/plain-bug")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert b"ZeroDivision" not in answer.content


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/plain-bug", 500)])
def test_people_get_a_page(client: Client, path: str, status: int) -> None:
    client.raise_request_exception = False
    answer = client.get(path)
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert b"switchboard.css" in answer.content


def test_a_host_that_is_not_ours_is_a_problem_under_the_api(
    client: Client, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["console.example"]
    answer = client.get("/api/raw", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, CONTENT_TYPE)


def test_a_method_that_is_not_there_is_said_with_those_that_are(client: Client) -> None:
    answer = client.put("/api/raw", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"] == "POST, OPTIONS"


def test_fields_that_do_not_fit_are_named_by_their_path(caller: Callable[..., Client]) -> None:
    sent = {"name": "far too long", "items": [{"kind": "a", "size": 1}, {"kind": "b", "size": 0}]}
    answer = caller("config.view_ops").post("/api/echo", sent, content_type="application/json")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "invalid")
    assert {error["field"] for error in body["errors"]} == {"name", "items.1.size"}
    assert all(error["message"] for error in body["errors"])
