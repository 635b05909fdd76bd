"""What make run chooses, and what it leaves to whoever has chosen already."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from config import env
from config.run.plan import DEMO_APP, PortTaken, make_plan

pytestmark = pytest.mark.unit

CHOSEN = (
    "ADMIN_TELEGRAM_IDS", "DEMO", "OPEN_IDENTITY", "POD_ID", "PORT", "SITE_URL",
    "SWITCHBOARD_EXTRA_APPS", "TELEGRAM_API_URL", "TELEGRAM_BOT_TOKEN", "TELEGRAM_BOT_TOKEN_FILE",
    "WORKER_QUEUES", "REMNAWAVE_URL", "REMNAWAVE_API_TOKEN", "CRYPTOBOT_API_URL", "CRYPTOBOT_TOKEN",
    "REMNAWAVE_WEBHOOK_SECRET", "TELEGRAM_WEBHOOK_SECRET", "CLOCK_FILE", "SANDBOX_URL",
)  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_is_chosen(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A fresh machine on which any port will do."""
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    settings.PORT = 0
    settings.DEBUG = True
    settings.EMBEDDED_POSTGRES = True


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_fresh_machine_gets_the_sandbox_and_the_demo() -> None:
    plan = make_plan()
    worker = plan.environments["worker"]
    assert list(plan.commands) == ["web", "worker", "files", "sandbox"]
    assert plan.sandbox_url == worker["TELEGRAM_API_URL"]
    assert plan.sandbox_url == f"http://127.0.0.1:{plan.environments['sandbox']['PORT']}"
    assert plan.environments["web"]["PORT"] == plan.url.rpartition(":")[2]
    assert worker["SITE_URL"] == plan.url
    assert worker["OPEN_IDENTITY"] == "1"
    assert worker["SWITCHBOARD_EXTRA_APPS"] == DEMO_APP
    assert worker["WORKER_QUEUES"] == "default,notifications,maintenance,demo,demo-imports"
    assert worker["TELEGRAM_BOT_TOKEN"]
    assert worker["ADMIN_TELEGRAM_IDS"]
    assert (plan.environments["web"]["POD_ID"], worker["POD_ID"]) == ("web", "worker")
    assert worker["REMNAWAVE_URL"] == f"{plan.sandbox_url}/remnawave"
    assert worker["CRYPTOBOT_API_URL"] == f"{plan.sandbox_url}/cryptopay"
    assert worker["REMNAWAVE_API_TOKEN"]
    assert worker["CRYPTOBOT_TOKEN"]
    assert plan.played == {"telegram", "remnawave", "cryptopay"}
    sandbox = plan.environments["sandbox"]
    assert sandbox["REMNAWAVE_WEBHOOK_URL"] == f"{plan.url}/webhooks/remnawave/"
    assert sandbox["REMNAWAVE_WEBHOOK_SECRET"] == worker["REMNAWAVE_WEBHOOK_SECRET"]
    assert sandbox["CRYPTOPAY_WEBHOOK_URL"] == f"{plan.url}/webhooks/cryptobot/"
    assert sandbox["TELEGRAM_WEBHOOK_URL"] == f"{plan.url}/webhooks/telegram/"
    assert sandbox["TELEGRAM_WEBHOOK_SECRET"] == worker["TELEGRAM_WEBHOOK_SECRET"] != ""
    assert (worker["CLOCK_FILE"], worker["SANDBOX_URL"]) != ("", "")
    assert plan.prepare.endswith(" --sandbox=telegram --sandbox=remnawave --sandbox=cryptopay")


OWN = {
    "TELEGRAM_API_URL": "http://bot-api.internal:8081",
    "REMNAWAVE_URL": "https://panel.internal",
    "CRYPTOBOT_API_URL": "https://pay.internal",
}


def test_services_of_ones_own_are_used_and_no_sandbox_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, url in OWN.items():
        monkeypatch.setenv(name, url)
    plan = make_plan()
    worker = plan.environments["worker"]
    assert list(plan.commands) == ["web", "worker", "files"]
    assert (plan.sandbox_url, plan.played) == (None, frozenset())
    assert {name: worker[name] for name in OWN} == OWN
    assert not {"TELEGRAM_BOT_TOKEN", "REMNAWAVE_API_TOKEN", "CRYPTOBOT_TOKEN"} & set(worker)
    assert "--sandbox" not in plan.prepare


@pytest.mark.parametrize("own", OWN)
def test_the_sandbox_plays_only_what_has_no_address(
    monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.setenv(own, OWN[own])
    plan = make_plan()
    worker = plan.environments["worker"]
    assert worker[own] == OWN[own]
    assert len(plan.played) == 2
    for name in set(OWN) - {own}:
        assert worker[name].startswith(str(plan.sandbox_url))
    assert plan.prepare.count("--sandbox=") == 2


def test_a_token_in_a_file_is_read_for_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("7:filed\n")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN_FILE", str(tmp_path / "token"))
    worker = make_plan().environments["worker"]
    assert worker["TELEGRAM_BOT_TOKEN"] == "7:filed"
    assert "TELEGRAM_BOT_TOKEN_FILE" not in worker


@pytest.mark.parametrize("demo", ["0", "no", "off"])
def test_without_the_demo_nothing_of_it_is_there(
    monkeypatch: pytest.MonkeyPatch, demo: str
) -> None:
    monkeypatch.setenv("DEMO", demo)
    worker = make_plan().environments["worker"]
    assert "SWITCHBOARD_EXTRA_APPS" not in worker
    assert "WORKER_QUEUES" not in worker


def test_a_demo_that_is_neither_on_nor_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO", "perhaps")
    with pytest.raises(env.SettingInvalid, match="DEMO"):
        make_plan()


@pytest.mark.parametrize(("demo", "has_demo"), [("", False), ("1", True), ("0", False)])
def test_a_database_of_others_gets_a_demo_only_if_asked(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, closed_port: int, demo: str, has_demo: bool
) -> None:
    settings.EMBEDDED_POSTGRES = False
    settings.DATABASE_URL = f"postgresql://somebody@127.0.0.1:{closed_port}/switchboard"
    monkeypatch.setenv("DEMO", demo)
    plan = make_plan()
    assert ("SWITCHBOARD_EXTRA_APPS" in plan.environments["worker"]) is has_demo
    assert ("DEMO=1" in plan.note) is (demo == "")


def test_what_somebody_has_chosen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        "ADMIN_TELEGRAM_IDS": "7",
        "OPEN_IDENTITY": "0",
        "POD_ID": "pod-7",
        "SITE_URL": "https://switchboard.example",
        "TELEGRAM_BOT_TOKEN": "7:mine",
    }
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SWITCHBOARD_EXTRA_APPS", "mine.apps.MineConfig")
    for name in ("web", "worker", "prepare"):
        environment = make_plan().environments[name]
        assert {each: environment[each] for each in chosen} == chosen
        assert environment["SWITCHBOARD_EXTRA_APPS"] == f"mine.apps.MineConfig,{DEMO_APP}"


def test_production_gets_neither_open_doors_nor_a_demo(settings: Settings) -> None:
    settings.DEBUG = False
    worker = make_plan().environments["worker"]
    assert worker["OPEN_IDENTITY"] == "0"
    assert "SWITCHBOARD_EXTRA_APPS" not in worker


def test_a_taken_port_is_said_with_a_way_out(settings: Settings, taken_port: int) -> None:
    settings.PORT = taken_port
    with pytest.raises(PortTaken, match=f"Port {taken_port} .* PORT={taken_port + 1}"):
        make_plan()


def test_the_sandbox_goes_elsewhere_when_its_port_is_taken(
    settings: Settings, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PORT = int(make_plan().url.rpartition(":")[2])  # a free one
    monkeypatch.setattr("config.run.plan.SANDBOX_AFTER", taken_port - settings.PORT)
    plan = make_plan()
    assert plan.url.endswith(f":{settings.PORT}")
    assert plan.environments["sandbox"]["PORT"] != str(taken_port)
