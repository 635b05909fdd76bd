"""The program itself: how it starts, says so, and ends."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from tests.sandbox.fixture import ROOT, Sandbox, SandboxFailed

pytestmark = pytest.mark.process


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sandbox", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ready_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("sandbox ready http://127.0.0.1:")
    return line.split()[2]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_with_calls_under_way(stop: signal.Signals) -> None:
    with start("--port", "0") as process:
        url = ready_url(process)
        with requests.Session() as http:
            order = {"service": "telegram", "kind": "latency", "latency_ms": 60_000}
            http.post(f"{url}/_sandbox/faults", json=order, timeout=10)
            with pytest.raises(requests.ReadTimeout):
                http.get(f"{url}/bot1:a/getMe", timeout=(5, 0.2))
            process.send_signal(stop)
            rest, errors = process.communicate(timeout=5)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_port_comes_from_the_environment() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start(PORT=str(port)) as process:
        url = ready_url(process)
        assert url == f"http://127.0.0.1:{port}"
        assert requests.get(f"{url}/_sandbox/health", timeout=10).json()["ok"] is True
        process.terminate()


def test_a_taken_port_is_named_and_ends_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start("--port", str(port)) as process:
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 1
        assert errors.startswith(f"sandbox: cannot listen on 127.0.0.1:{port}: ")
        assert "Traceback" not in errors
        with pytest.raises(SandboxFailed, match="ended at its start with code 1"):
            Sandbox(port=port)


def test_it_ends_with_its_parent() -> None:
    sandbox = Sandbox()
    process = sandbox._process
    assert process.stdin is not None
    process.stdin.close()  # what the system does when the parent is killed
    assert process.wait(timeout=5) == 0
    sandbox.stop()


def test_stopping_twice_is_fine_and_the_port_can_be_taken_again() -> None:
    first = Sandbox()
    port = int(first.url.rpartition(":")[2])
    first.stop()
    first.stop()
    with Sandbox(port=port) as second:
        assert second.url == first.url


def test_it_imports_nothing_of_the_product() -> None:
    script = (
        "import sys, tests.sandbox.__main__; "
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "'starlette'" in loaded
    for name in ("django", "config", "lib", "jobs", "notifications", "payments", "pytest"):
        assert f"'{name}'" not in loaded
