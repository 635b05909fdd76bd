"""A sandbox whose world outlives its process: by a stop, by a kill, by a file that nobody can read."""

import os
import signal
import struct
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.cryptopay import PayApp

pytestmark = pytest.mark.process

CHAT = 7
NOWHERE = "http://127.0.0.1:9/"  # the port of discard, where nobody listens
BOT = "7000000001:sandbox"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of every sandbox of the test."""
    path = tmp_path / "sandbox.json"
    monkeypatch.setenv("SANDBOX_FILE", str(path))
    monkeypatch.delenv("CLOCK_OFFSET_SECONDS", raising=False)
    monkeypatch.delenv("CLOCK_FILE", raising=False)
    return path


def say(sandbox: Sandbox, method: str, **parameters: Any) -> Any:
    """What the Bot API gives."""
    answer = requests.post(f"{sandbox.url}/bot{BOT}/{method}", json=parameters, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def kill(sandbox: Sandbox) -> None:
    os.kill(sandbox.pid, signal.SIGKILL)
    psutil.Process(sandbox.pid).wait(10)


def test_a_panel_is_found_again(file: Path) -> None:
    with Sandbox() as first:
        ids = first.panel.seed(5, disabled_share=0.5)
        first.panel.operator(ids[0], "revoke")
        first.panel.operator(ids[4], "delete")
        first.panel.use(ids, 1000)
        first.panel.add_device(ids[1], "A1B2")
        first.panel.dialect("2.8")
        first.panel.settings(live_share=0.5, bandwidth_thresholds=[80])
        users, nodes, settings = first.panel.users(), first.panel.nodes(), first.panel.settings()
    with Sandbox() as second:
        assert second.panel.users() == users
        assert second.panel.nodes() == nodes
        assert second.panel.settings() == settings
        assert settings["live_share"] == 0.5
        assert second.panel.add()["id"] == ids[4] + 1


def test_invoices_are_found_again_open_and_paid(file: Path) -> None:
    with Sandbox() as first:
        app = PayApp(first)
        opened, paid, lost = (app.order(payload=name) for name in ("opened", "paid", "lost"))
        first.pay.pay(paid["invoice_id"], asset="TON", amount="1.5", silent=True)
        first.pay.forget(lost["invoice_id"])
        first.pay.app(10001, transfers=True)
        before = first.pay.invoices()
        port = int(first.url.rpartition(":")[2])
    with Sandbox(port=port) as second:
        assert second.pay.invoices() == before
        app = PayApp(second)
        assert [row["status"] for row in app.read()] == ["paid", "active"]
        assert second.pay.pay(opened["invoice_id"])["status"] == "paid"
        assert app.order()["invoice_id"] == lost["invoice_id"] + 1


def test_a_payment_that_nobody_was_told_of_is_told_after_the_restart(file: Path) -> None:
    with Sandbox() as first:
        first.pay.webhooks_to(NOWHERE)
        invoice = PayApp(first).order()
        first.pay.pay(invoice["invoice_id"])
        (failed,) = first.wait_for(first.pay.deliveries)
    with Sandbox() as second:
        second.pay.webhooks_to(NOWHERE)
        second.clock_advance(failed["next_at"] - failed["at"] + 1)
        (again,) = second.wait_for(second.pay.deliveries)
        assert (again["invoice_id"], again["attempt"]) == (invoice["invoice_id"], 2)


def test_messages_can_be_read_edited_and_taken_back_after_a_restart(file: Path) -> None:
    with Sandbox() as first:
        one = say(first, "sendMessage", chat_id=CHAT, text="<b>One</b>", parse_mode="HTML")
        two = say(first, "sendMessage", chat_id=CHAT, text="Two")
        first.behave(8, "blocked")
        first.behave(range(100, 200), "deactivated")
        first.limits(chat_per_s=5)
        before = first.messages()
    with Sandbox() as second:
        assert second.messages() == before
        assert [each["text"] for each in before] == ["One", "Two"]
        say(second, "editMessageText", chat_id=CHAT, message_id=one["message_id"], text="Uno")
        say(second, "deleteMessage", chat_id=CHAT, message_id=two["message_id"])
        third = say(second, "sendMessage", chat_id=CHAT, text="Three")
        assert third["message_id"] == two["message_id"] + 1
        for chat in (8, 150):
            refused = requests.post(
                f"{second.url}/bot{BOT}/sendMessage",
                json={"chat_id": chat, "text": "x"},
                timeout=10,
            )
            assert refused.status_code == 403
        assert second.limits()["chat_per_s"] == 5


def test_a_document_is_found_again(file: Path) -> None:
    with Sandbox() as first:
        sent = requests.post(
            f"{first.url}/bot{BOT}/sendDocument",
            data={"chat_id": CHAT},
            files={"document": ("report.csv", b"a;b\n")},
            timeout=10,
        ).json()["result"]
        file_id = sent["document"]["file_id"]
    with Sandbox() as second:
        assert second.document(file_id) == b"a;b\n"
        again = say(second, "sendDocument", chat_id=CHAT, document=file_id)
        assert again["document"]["file_name"] == "report.csv"


def test_what_a_kill_finds_written_is_there_and_no_number_is_given_twice(file: Path) -> None:
    with Sandbox() as first:
        app = PayApp(first)
        first.panel.seed(3)
        kept = app.order()
        message = say(first, "sendMessage", chat_id=CHAT, text="kept")
        before = str(kept["invoice_id"])
        first.wait_for(lambda: before in file.read_text())
        late = [app.order()["invoice_id"] for _ in range(3)]
        kill(first)
    with Sandbox() as second:
        assert kept["invoice_id"] in {row["invoice_id"] for row in second.pay.invoices()}
        assert [each["text"] for each in second.messages()] == ["kept"]
        assert len(second.panel.users()) == 3
        fresh = PayApp(second).order()["invoice_id"]
        assert fresh > max(late)
        assert (
            say(second, "sendMessage", chat_id=CHAT, text="x")["message_id"] > message["message_id"]
        )


def test_a_kill_right_after_a_clean_start_gives_no_number_twice(file: Path) -> None:
    with Sandbox() as first:
        PayApp(first).order()
    with Sandbox() as second:
        lost = PayApp(second).order()["invoice_id"]
        kill(second)
    with Sandbox() as third:
        assert PayApp(third).order()["invoice_id"] > lost


@pytest.mark.parametrize("content", ["", "{", "[]", '{"form": 0}', '{"form": 1, "is_last": true}'])
def test_a_file_that_cannot_be_read_is_put_aside(file: Path, content: str) -> None:
    file.write_text(content)
    with Sandbox() as sandbox:
        assert sandbox.panel.users() == []
        sandbox.panel.seed(1)
    assert file.with_suffix(".unread").read_text() == content
    with Sandbox() as sandbox:
        assert len(sandbox.panel.users()) == 1


def test_the_clock_begins_where_the_shared_one_stands(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "clock"
    shared.write_bytes(struct.pack("<d", 3600.0))
    monkeypatch.setenv("CLOCK_FILE", str(shared))
    with Sandbox() as sandbox:
        assert sandbox.clock()["offset_s"] == 3600
        shared.write_bytes(struct.pack("<d", 7200.0))
        sandbox.clock_set(7200)
        kill(sandbox)
    with Sandbox() as sandbox:
        assert sandbox.clock()["offset_s"] == 7200


def test_without_a_file_every_start_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_FILE", raising=False)
    with Sandbox() as first:
        first.panel.seed(1)
    with Sandbox() as second:
        assert second.panel.users() == []
