"""Our middleware in an async chain: what it does when it is awaited is what it does when called."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import RequestFactory

from config.api.fallback import ProblemMiddleware
from config.health import ProbesMiddleware
from config.middleware import Middleware
from config.static import StaticFilesMiddleware


async def inside(request: HttpRequest) -> HttpResponse:
    """What stands behind: an HTML error."""
    return HttpResponse("<h1>gone</h1>", status=410)


@pytest.fixture
def ask() -> Callable[..., Any]:
    def through(middleware: type[Middleware], path: str) -> HttpResponseBase:
        chain: Callable[[HttpRequest], Awaitable[Any]] = middleware(inside)  # type: ignore[assignment]
        answer: HttpResponseBase = async_to_sync(chain)(RequestFactory().get(path))
        return answer

    return through


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_probes_are_answered(ask: Callable[..., Any], path: str) -> None:
    assert ask(ProbesMiddleware, path).status_code == 200


def test_an_error_page_under_the_api_becomes_a_problem(ask: Callable[..., Any]) -> None:
    answer = ask(ProblemMiddleware, "/api/gone")
    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")


def test_a_file_is_served(ask: Callable[..., Any]) -> None:
    answer = ask(StaticFilesMiddleware, "/static/switchboard/switchboard.css")
    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')


@pytest.mark.parametrize(
    ("middleware", "path"),
    [
        (ProbesMiddleware, "/healthy"),
        (ProblemMiddleware, "/gone"),
        (StaticFilesMiddleware, "/gone"),
        (StaticFilesMiddleware, "/static/nowhere.css"),
    ],
)
def test_everything_else_passes(
    ask: Callable[..., Any], middleware: type[Middleware], path: str
) -> None:
    assert ask(middleware, path).content == b"<h1>gone</h1>"
