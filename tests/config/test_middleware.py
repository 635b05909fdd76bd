"""Each request has one correlation id and one line in the log."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from config.middleware import CorrelationMiddleware, incoming_id
from lib.context import correlation_id
from lib.logs import JsonFormatter

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "switchboard.request"]


@pytest.fixture(autouse=True)
def every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"X-Correlation-ID": "order-2026.11:7"}, "order-2026.11:7"),
        ({"X-Request-ID": TRACE}, TRACE),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, TRACE),
        ({"X-Correlation-ID": "from-outside", "X-Request-ID": TRACE}, "from-outside"),
        ({"X-Correlation-ID": "bad id", "X-Request-ID": TRACE}, TRACE),
        ({}, ""),
        ({"X-Correlation-ID": "short"}, ""),
        ({"X-Correlation-ID": "x" * 65}, ""),
        ({"X-Correlation-ID": "two lines\ninjected"}, ""),
        ({"X-Correlation-ID": "-starts-with-a-dash"}, ""),
        ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, ""),
        ({"traceparent": "nonsense"}, ""),
    ],
)
def test_an_id_is_taken_when_it_is_well_formed(headers: dict[str, str], taken: str) -> None:
    assert incoming_id(RequestFactory().get("/", headers=headers)) == taken


def test_the_id_of_the_caller_is_answered(client: Client) -> None:
    answer = client.get("/", headers={"X-Correlation-ID": "from-outside"})
    assert answer["X-Correlation-ID"] == "from-outside"


def test_each_request_without_an_id_gets_its_own(client: Client) -> None:
    ids = {client.get("/")["X-Correlation-ID"] for _ in range(3)}
    assert len(ids) == 3
    assert all(len(each) == 32 for each in ids)
    assert correlation_id.get() == ""


def test_under_asgi_it_is_the_same(async_client: AsyncClient) -> None:
    answer = async_to_sync(async_client.get)("/", headers={"X-Correlation-ID": "from-outside"})
    assert answer["X-Correlation-ID"] == "from-outside"
    assert correlation_id.get() == ""


def test_an_awaited_chain_gives_the_id_to_what_is_inside(caplog: pytest.LogCaptureFixture) -> None:
    async def inside(request: HttpRequest) -> HttpResponse:
        return HttpResponse(correlation_id.get())

    chain = CorrelationMiddleware(inside)
    request = RequestFactory().get("/x", headers={"X-Correlation-ID": "from-outside"})
    answer: Any = async_to_sync(chain)(request)  # type: ignore[arg-type]
    assert answer.content == b"from-outside"
    assert [record.path for record in lines(caplog)] == ["/x"]  # type: ignore[attr-defined]


def test_a_request_writes_one_line_that_says_all_but_the_query(
    client: Client, account: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    person = account("person", is_staff=True)
    client.force_login(person)
    client.get("/admin/?ticket=secret", headers={"X-Correlation-ID": "from-outside"})
    (record,) = lines(caplog)
    line = json.loads(JsonFormatter().format(record))
    assert line["level"] == "INFO"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/admin/", 200)
    assert line["user_id"] == person.pk
    assert line["duration_ms"] > 0
    assert "secret" not in json.dumps(line)


@pytest.mark.usefixtures("probe_api")
def test_the_line_does_not_ask_who_it_was(
    client: Client, account: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(account("person"))
    client.raise_request_exception = False
    with CaptureQueriesContext(connection) as queries:
        client.get("/plain-bug")
    (record,) = lines(caplog)
    assert (record.status, record.user_id) == (500, None)  # type: ignore[attr-defined]
    assert len(queries) == 0


@pytest.mark.usefixtures("probe_api")
def test_an_error_of_ours_is_a_warning(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.raise_request_exception = False
    client.get("/api/trouble/bug")
    (record,) = lines(caplog)
    assert (record.levelname, record.status) == ("WARNING", 500)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/metrics", "/static/switchboard/switchboard.css"]
)
def test_probes_and_files_write_no_line(
    client: Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    assert client.get(path).status_code == 200
    assert lines(caplog) == []
