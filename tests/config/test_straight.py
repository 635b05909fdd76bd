"""Addresses at which machines call: one thread for a whole request, and the answers of the site."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pytest_django.fixtures import Settings

from config.straight import Straight
from tests.config.asgi_client import Reply, Wire, ask, scope_of

ROOT = Path(__file__).resolve().parents[2]
PATH = "/webhooks/heard/"
# What a test cannot foresee.
VARYING = {"x-correlation-id", "date"}
heard: list[tuple[bytes, str]] = []


@csrf_exempt
@require_POST
def hear(request: HttpRequest) -> HttpResponse:
    """Keep what came, and in which thread; a body of "bug" meets one."""
    heard.append((request.body, threading.current_thread().name))
    if request.body == b"bug":
        raise ValueError("not meant to happen")
    return HttpResponse(b"heard " + request.body, headers={"X-Own": "1"})


urlpatterns = [path("webhooks/heard/", hear), path("webhooks/other/", hear)]


@pytest.fixture(autouse=True)
def urls(settings: Settings) -> Iterator[None]:
    settings.ROOT_URLCONF = __name__
    heard.clear()
    yield
    heard.clear()


@pytest.fixture
def site() -> Any:
    return ASGIHandler()


@pytest.fixture
def straight(site: Any) -> Any:
    return Straight(site, {PATH})


def same(straight: Any, site: Any, body: bytes | list[bytes], **more: Any) -> Reply:
    """Ask both ways; they must not differ. Returns the answer."""
    headers = {"x-correlation-id": "from-outside-1", **more.pop("headers", {})}
    one, other = (ask(each, PATH, body, headers, **more) for each in (straight, site))
    assert (one.status, one.content) == (other.status, other.content)
    kept = [
        {name: value for name, value in each.headers.items() if name not in VARYING}
        for each in (one, other)
    ]
    assert kept[0] == kept[1]
    assert one.headers["x-correlation-id"] == "from-outside-1"
    return one


def test_an_answer_is_the_same_by_both_ways(straight: Any, site: Any) -> None:
    reply = same(straight, site, b"it happened")

    assert (reply.status, reply.content) == (200, b"heard it happened")
    assert reply.headers["x-own"] == "1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    ways = [name.startswith("straight") for _, name in heard]
    assert ways == [True, False]


def test_a_body_in_chunks_comes_whole(straight: Any, site: Any) -> None:
    assert (
        same(straight, site, [b"a" * 70_000, b"b", b""]).content == b"heard " + b"a" * 70_000 + b"b"
    )


def test_a_refusal_is_the_same_by_both_ways(straight: Any, site: Any) -> None:
    assert same(straight, site, b"", method="GET").status == 405
    assert same(straight, site, b"x", headers={"host": "stranger.example"}).status == 400


def test_a_bug_is_a_problem_with_its_number_by_both_ways(straight: Any, site: Any) -> None:
    reply = same(straight, site, b"bug")
    assert (reply.status, reply.json()["code"]) == (500, "internal")
    assert reply.json()["correlation_id"] == "from-outside-1"


def test_another_address_goes_the_ordinary_way(straight: Any) -> None:
    assert ask(straight, "/webhooks/other/").status == 200
    assert [name.startswith("straight") for _, name in heard] == [False]


def test_a_request_begins_and_ends_as_django_says(straight: Any) -> None:
    told: list[str] = []

    def begun(**_: Any) -> None:
        told.append(f"begun {threading.current_thread().name[:8]}")

    def ended(**_: Any) -> None:
        told.append(f"ended {threading.current_thread().name[:8]}")

    request_started.connect(begun)
    request_finished.connect(ended)
    try:
        ask(straight, PATH)
    finally:
        request_started.disconnect(begun)
        request_finished.disconnect(ended)
    assert told == ["begun straight", "ended straight"]


def test_a_caller_who_leaves_in_the_middle_of_his_body_is_not_heard(straight: Any) -> None:
    wire = Wire([b"half"], is_cut=True)
    async_to_sync(straight)(scope_of(PATH), wire.receive, wire.send)
    assert wire.sent == []
    assert heard == []


@pytest.mark.process
def test_the_doors_of_all_senders_are_straight() -> None:
    # In a process of its own: the site sets up Django and its logs anew.
    said = subprocess.run(
        [sys.executable, "-c", "from config.asgi import heard; print(*heard._paths)"],
        cwd=ROOT, text=True, check=True, stdout=subprocess.PIPE, timeout=120,
    )  # fmt: skip
    assert {"/webhooks/cryptobot/", "/webhooks/remnawave/"} <= set(said.stdout.split())
