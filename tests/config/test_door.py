"""The door in front of the site: the same answers, by a shorter way."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIHandler
from knox.models import AuthToken
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from config.accounts import token_issue
from config.api import callers
from config.api.door import Door
from config.api.throttling import AccountThrottle
from tests.config.asgi_client import Reply, Wire, ask, scope_of
from tests.config.door_api import Opened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

PATH = "/api/opened"
# What a test cannot foresee, or what the site says about cookies that a machine does not send.
VARYING = {"vary", "x-correlation-id", "date"}


@pytest.fixture(autouse=True)
def opened(settings: Settings) -> Iterator[list[str]]:
    """The ways that requests took."""
    settings.ROOT_URLCONF = "tests.config.door_api"
    AccountThrottle.away_until = 0.0
    Opened.ways.clear()
    yield Opened.ways
    Opened.ways.clear()


@pytest.fixture
def site() -> Any:
    return ASGIHandler()


@pytest.fixture
def door(site: Any) -> Any:
    return Door(site, {PATH: Opened})


@pytest.fixture
def token(account: Callable[..., User]) -> Callable[..., dict[str, str]]:
    """The header of a machine with permissions: token("config.view_ops")."""

    def make(*permissions: str, name: str = "machine") -> dict[str, str]:
        issued = token_issue(account=account(name, *permissions), lifetime=timedelta(days=1))
        return {"Authorization": f"Bearer {issued.token}"}

    return make


def same(door: Any, site: Any, body: bytes, **headers: str) -> Reply:
    """Ask both ways; they must not differ. Returns the answer."""
    given = {"X-Correlation-ID": "from-outside-1", **headers}
    by_door, by_site = ask(door, PATH, body, given), ask(site, PATH, body, given)
    assert by_door.status == by_site.status
    assert by_door.content == by_site.content
    kept = [
        {name: value for name, value in each.headers.items() if name not in VARYING}
        for each in (by_door, by_site)
    ]
    assert kept[0] == kept[1]
    assert by_door.headers["x-correlation-id"] == "from-outside-1"
    return by_door


def test_an_answer_is_the_same_by_both_ways(
    door: Any, site: Any, token: Callable[..., dict[str, str]], opened: list[str]
) -> None:
    reply = same(door, site, b'{"a": 1}', **token("config.view_ops"))

    assert reply.status == 202
    assert reply.json() == {"user": "machine", "sent": {"a": 1}}
    assert reply.headers["x-own"] == "1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert opened == ["door", "site"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "malformed"),
        (b'"\\u0000"', {}, 400, "malformed"),
        (b"{}", {"Accept": "text/html"}, 406, "not_acceptable"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b'"' + b"x" * 2000 + b'"', {}, 413, "too_large"),
        (b'{"raise": "conflict"}', {}, 409, "job_running"),
        (b'{"raise": "input"}', {}, 422, "invalid"),
        (b'{"raise": "later"}', {}, 503, "unavailable"),
        (b'{"raise": "denied"}', {}, 403, "permission_denied"),
        (b'{"raise": "bug"}', {}, 500, "internal"),
    ],
)
def test_a_refusal_is_the_same_by_both_ways(
    door: Any,
    site: Any,
    token: Callable[..., dict[str, str]],
    body: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    given = {**{name.lower(): value for name, value in headers.items()}, **token("config.view_ops")}
    reply = same(door, site, body, **given)
    assert (reply.status, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "not_authenticated"),
        ({"Authorization": "Bearer"}, 401, "not_authenticated"),
        ({"Authorization": "Bearer " + "x" * 64}, 401, "not_authenticated"),
        ({"Authorization": "Basic eDp5"}, 401, "not_authenticated"),
    ],
)
def test_a_stranger_is_refused_alike_by_both_ways(
    door: Any, site: Any, headers: dict[str, str], status: int, code: str, opened: list[str]
) -> None:
    reply = same(door, site, b"{}", **headers)
    assert (reply.status, reply.json()["code"]) == (status, code)
    assert reply.headers["www-authenticate"] == "Bearer"
    assert opened == []


def test_a_machine_without_the_permission_is_refused_alike(
    door: Any, site: Any, token: Callable[..., dict[str, str]], opened: list[str]
) -> None:
    reply = same(door, site, b"{}", **token())
    assert (reply.status, reply.json()["code"]) == (403, "permission_denied")
    assert opened == []


def test_with_open_identity_anybody_may_come_in(
    door: Any, site: Any, settings: Settings, opened: list[str]
) -> None:
    settings.OPEN_IDENTITY = True
    assert same(door, site, b"[1]").json() == {"user": "open-identity", "sent": [1]}
    assert opened == ["door", "site"]


def test_what_holds_of_the_rate_is_the_same_by_both_ways(
    door: Any, site: Any, settings: Settings, token: Callable[..., dict[str, str]]
) -> None:
    rates = {"DEFAULT_THROTTLE_RATES": {"account": "3/h", "anon": None}}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **rates}
    machine = token("config.view_ops")

    statuses = [ask(door, PATH, b"{}", machine).status for _ in range(3)]
    refused = ask(door, PATH, b"{}", machine)

    assert statuses == [202, 202, 202]
    assert (refused.status, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert ask(site, PATH, b"{}", machine).status == 429


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Cookie": "sessionid=x"}, ""),
        ({"Accept-Language": "ru"}, ""),
        ({}, "format=json"),
        ({"Host": "bad host"}, ""),
    ],
)
def test_what_machines_do_not_send_goes_the_ordinary_way(
    door: Any,
    token: Callable[..., dict[str, str]],
    headers: dict[str, str],
    query: str,
    opened: list[str],
) -> None:
    ask(door, PATH, b"{}", {**token("config.view_ops"), **headers}, query=query)
    assert "door" not in opened


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("POST", f"{PATH}/"), ("POST", "/api/raw")]
)
def test_other_addresses_and_methods_go_the_ordinary_way(
    door: Any, site: Any, method: str, path: str, opened: list[str]
) -> None:
    assert ask(door, path, method=method).status == ask(site, path, method=method).status
    assert opened == []


@pytest.mark.parametrize("language", ["en", "en-GB,en;q=0.9", "*"])
def test_english_is_spoken_at_the_door(
    door: Any, token: Callable[..., dict[str, str]], language: str, opened: list[str]
) -> None:
    ask(door, PATH, b"{}", {**token("config.view_ops"), "Accept-Language": language})
    assert opened == ["door"]


def test_a_websocket_passes_the_door() -> None:
    seen: list[str] = []

    async def behind(scope: Any, *_: Any) -> None:
        seen.append(scope["type"])

    door: Any = Door(behind, {PATH: Opened})
    async_to_sync(door)({"type": "websocket", "path": PATH}, Wire([]).receive, Wire([]).send)
    assert seen == ["websocket"]


def test_a_body_in_chunks_is_put_together(door: Any, token: Callable[..., dict[str, str]]) -> None:
    reply = ask(door, PATH, [b'{"a"', b": ", b"1}"], token("config.view_ops"))
    assert reply.json()["sent"] == {"a": 1}


def test_a_body_that_is_too_large_is_not_read_to_its_end(
    door: Any, token: Callable[..., dict[str, str]]
) -> None:
    wire = Wire([b"x" * 1000] * 50)
    headers = {"content-type": "application/json", **token("config.view_ops")}
    async_to_sync(door)(scope_of(PATH, headers.items()), wire.receive, wire.send)
    assert (wire.reply().status, wire.taken) == (413, 3)


def test_a_body_that_is_announced_as_too_large_is_not_read_at_all(
    door: Any, token: Callable[..., dict[str, str]]
) -> None:
    wire = Wire([b"x" * 1000] * 50)
    headers = {
        "content-type": "application/json",
        "content-length": "50000",
        **token("config.view_ops"),
    }
    async_to_sync(door)(scope_of(PATH, headers.items()), wire.receive, wire.send)
    assert (wire.reply().status, wire.taken) == (413, 0)


def test_nothing_is_done_for_a_caller_who_hung_up_half_way(
    door: Any, token: Callable[..., dict[str, str]], opened: list[str]
) -> None:
    wire = Wire([b'{"a"'], is_cut=True)
    headers = {"content-type": "application/json", **token("config.view_ops")}
    async_to_sync(door)(scope_of(PATH, headers.items()), wire.receive, wire.send)
    assert wire.reply().status == 0
    assert opened == []


def test_requests_at_the_door_are_counted_and_logged(
    door: Any, token: Callable[..., dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    name = "django_http_responses_total_by_status_view_method_total"
    view = "tests.config.door_api.Opened"
    labels = {"status": "202", "view": view, "method": "POST"}
    before = REGISTRY.get_sample_value(name, labels) or 0

    with caplog.at_level("INFO", logger="switchboard.request"):
        ask(door, PATH, b"{}", token("config.view_ops"))

    assert REGISTRY.get_sample_value(name, labels) == before + 1
    (line,) = [each for each in caplog.records if each.name == "switchboard.request"]
    assert line.__dict__["status"] == 202
    assert line.__dict__["user_id"] == User.objects.get(username="machine").pk


def test_a_caller_is_remembered_for_a_moment_and_no_longer(
    door: Any, token: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(callers, "monotonic", lambda: clock[0])
    machine = token("config.view_ops")
    assert ask(door, PATH, b"{}", machine).status == 202
    AuthToken.objects.all().delete()

    clock[0] += callers.KEPT_S - 0.1
    assert ask(door, PATH, b"{}", machine).status == 202
    clock[0] += 0.2
    assert ask(door, PATH, b"{}", machine).status == 401


def test_who_was_refused_is_asked_about_again(
    door: Any, token: Callable[..., dict[str, str]], account: Callable[..., User]
) -> None:
    machine = token()
    assert ask(door, PATH, b"{}", machine).status == 403
    User.objects.filter(username="machine").update(is_superuser=True)
    assert ask(door, PATH, b"{}", machine).status == 202
