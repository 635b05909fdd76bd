"""Wrong settings of the panel stop the start; the client is made of the right ones."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from jobs.registry import Rate
from subscriptions.panel import door
from subscriptions.panel.dialects import Dialect
from subscriptions.panel.token import token_expires_at
from tests.subscriptions.panel import bodies
from tests.subscriptions.panel.stage import Stage

ROOT = Path(__file__).resolve().parents[3]
URL = {"REMNAWAVE_URL": "https://panel.example", "REMNAWAVE_API_TOKEN": "token"}


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"REMNAWAVE_URL": "panel.example"}, "REMNAWAVE_URL"),
        ({"REMNAWAVE_URL": "https://panel.example"}, "REMNAWAVE_API_TOKEN"),
        (URL | {"PANEL_CONCURRENCY": "0"}, "PANEL_CONCURRENCY"),
        (URL | {"PANEL_RATE": "fast"}, "PANEL_RATE"),
        (URL | {"PANEL_TIMEOUT": "2m"}, "PANEL_TIMEOUT"),
        (URL | {"PANEL_DIALECT": "v1"}, "PANEL_DIALECT"),
        (URL | {"PANEL_HEADERS": "sEcReT"}, "PANEL_HEADERS"),
        (URL | {"PANEL_FULL_SYNC": "5s"}, "PANEL_FULL_SYNC"),
        (URL | {"REMNAWAVE_WEBHOOK_SECRET": "short"}, "REMNAWAVE_WEBHOOK_SECRET"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    environment: dict[str, str], named: str
) -> None:
    code = "import config.settings.subscriptions"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert named in last
    assert "sEcReT" not in ended.stderr


def test_without_an_address_there_is_no_panel(settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    door._client.cache_clear()
    assert not door.is_on()
    with pytest.raises(door.PanelOff):
        door.panel()


def test_the_client_of_the_process_is_made_of_the_settings(
    stage: Stage, settings: Settings
) -> None:
    door.clients_forget()
    settings.REMNAWAVE_URL, settings.REMNAWAVE_API_TOKEN = stage.url, "secret-token"
    settings.PANEL_HEADERS, settings.PANEL_COOKIE = {"X-Api-Key": "k"}, "a=b"
    settings.PANEL_DIALECT = "auto"
    try:
        assert door.panel() is door.panel()
        assert door.panel() is not door.panel_background()
        stage.say(bodies.user())
        assert door.panel().user(1042).id == 1042
        assert stage.asked[0].headers["Cookie"] == "a=b"
        assert door.contract().dialect() is Dialect.V3
    finally:
        door.clients_forget()


@pytest.mark.parametrize(
    ("written", "rate"),
    [("50/s", Rate(50, "1s", 5)), ("5/min", Rate(5, "1m", 1)), ("3600/h", Rate(3600, "1h", 360))],
)
def test_a_rate_is_spread(settings: Settings, written: str, rate: Rate) -> None:
    settings.PANEL_RATE = written
    assert door._rate() == rate


def _jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.signature"


def test_the_end_of_a_token_is_read_without_asking() -> None:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    assert token_expires_at(_jwt({"exp": int(ends.timestamp())})) == ends


@pytest.mark.parametrize(
    "token", ["", "plain", "a.b.c", "a.!!.c", _jwt({}), _jwt([]), _jwt({"exp": "soon"})]
)
def test_a_token_that_tells_no_end_has_none(token: str) -> None:
    assert token_expires_at(token) is None
