"""The start page, the description of the API, and the files they need."""

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from pytest_django.fixtures import Settings

CSS = "/static/switchboard/switchboard.css"


def test_a_stranger_finds_the_way(client: Client) -> None:
    html = client.get("/").content.decode()
    for link in ("/admin/", "/api/docs/", "/api/schema/", "/health"):
        assert f'href="{link}' in html
    assert "Log in" in html


def test_staff_finds_the_console(client: Client, account: Callable[..., User]) -> None:
    client.force_login(account("olga", is_staff=True))
    assert "Log in" not in client.get("/").content.decode()


def test_staff_that_may_look_finds_the_live_inbox(
    client: Client, account: Callable[..., User]
) -> None:
    assert 'class="desk"' not in client.get("/").content.decode()
    client.force_login(account("nina", is_staff=True))
    assert "inbox.view_notification" in client.get("/").content.decode()
    client.force_login(account("olga", "inbox.view_notification", is_staff=True))
    html = client.get("/").content.decode()
    assert 'class="desk"' in html
    assert "inbox.send_notification" in html  # why there is no form to send
    assert "data-compose" not in html


def test_who_is_no_staff_does_not_see_the_live_inbox(
    client: Client, account: Callable[..., User]
) -> None:
    client.force_login(account("shop", "inbox.view_notification"))
    assert 'class="desk"' not in client.get("/").content.decode()


def test_with_open_identity_everybody_may_do_everything_there(
    client: Client, settings: Settings
) -> None:
    settings.OPEN_IDENTITY = True
    html = client.get("/").content.decode()
    for part in ("data-compose", "data-open", 'data-may-change="1"'):
        assert part in html


def test_development_says_that_it_is_open_and_where_the_sandbox_is(
    client: Client, settings: Settings
) -> None:
    settings.DEBUG = settings.OPEN_IDENTITY = True
    settings.TELEGRAM_API_URL = "http://127.0.0.1:8090"
    html = client.get("/").content.decode()
    assert "OPEN_IDENTITY is on" in html
    assert 'href="http://127.0.0.1:8090/"' in html


def test_production_shows_neither(client: Client, settings: Settings) -> None:
    settings.TELEGRAM_API_URL = "http://127.0.0.1:8090"
    html = client.get("/").content.decode()
    assert "OPEN_IDENTITY" not in html
    assert "8090" not in html


@pytest.mark.usefixtures("clean_redis")
def test_the_api_describes_itself_with_its_errors_and_tokens(client: Client) -> None:
    schema = client.get("/api/schema/?format=json").json()
    assert schema["info"]["title"] == "Switchboard"
    assert "code" in schema["components"]["schemas"]["Problem"]["required"]
    assert client.get("/api/docs/").status_code == 200


def test_every_file_of_the_start_page_is_there(client: Client) -> None:
    html = client.get("/").content.decode()
    assert CSS in html
    for path in (CSS, "/static/switchboard/favicon.svg", "/static/switchboard/admin.css"):
        assert client.get(path).status_code == 200


def test_every_module_of_the_live_inbox_is_there(client: Client, settings: Settings) -> None:
    settings.OPEN_IDENTITY = True
    html = client.get("/").content.decode()
    waiting = set(re.findall(r'/static/switchboard/inbox/[^"]+', html))
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        found.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        if path.endswith(".js"):
            assert answer["Content-Type"].startswith(("text/javascript", "application/javascript"))
            imported = re.findall(
                r'^(?:import|export) .*?"(\.[^"]+)"', answer.content.decode(), re.M
            )
            waiting |= {urljoin(path, each) for each in imported} - found
    assert len(found) > 10


def test_a_file_is_served_in_full_in_part_and_not_again(client: Client) -> None:
    whole = client.get(CSS)
    assert whole["Content-Type"].startswith("text/css")
    part = client.get(CSS, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, whole.content[:10])
    fresh = client.get(CSS, headers={"If-None-Match": whole["ETag"]})
    assert (fresh.status_code, fresh.content) == (304, b"")
    assert client.head(CSS).content == b""
    assert client.post(CSS).status_code == 405


def test_a_file_is_served_under_asgi(async_client: AsyncClient, client: Client) -> None:
    assert async_to_sync(async_client.get)(CSS).content == client.get(CSS).content


def test_pages_carry_the_headers_of_a_careful_site(client: Client) -> None:
    answer = client.get("/")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
