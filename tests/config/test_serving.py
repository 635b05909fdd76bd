"""The site behind the server that serves it in production: uvicorn, in a process of its own."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.process
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(servers: None) -> Iterator[str]:
    """The address of a running site. Its port is given by the system."""
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", "0"]
    with (
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server,
        ThreadPoolExecutor(1) as reader,
    ):
        assert server.stdout is not None
        seen: list[str] = []
        address = None
        while address is None:
            line = server.stdout.readline()
            assert line, "uvicorn ended: " + "".join(seen)
            seen.append(line)
            address = re.search(r"running on (http://\S+)", line)
        # Somebody must read on, or the server would stop when the pipe is full.
        rest = reader.submit(server.stdout.read)
        yield address[1]
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) in {0, -signal.SIGTERM}
        output = "".join(seen) + rest.result(timeout=20)
    assert "Traceback" not in output
    assert "Warning" not in output


def test_it_answers_probes_pages_files_and_problems(site: str) -> None:
    assert requests.get(f"{site}/health", timeout=10).json()["status"] == "ok"
    assert "Switchboard" in requests.get(f"{site}/", timeout=10).text
    css = requests.get(f"{site}/static/switchboard/switchboard.css", timeout=10)
    assert css.headers["Content-Type"].startswith("text/css")
    missing = requests.get(f"{site}/api/nowhere", timeout=10)
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_requests_at_the_same_time_keep_their_own_ids(site: str) -> None:
    names = [f"caller-{number:04}" for number in range(40)]

    def ask(name: str) -> tuple[str, str]:
        answer = requests.get(f"{site}/api/nowhere", headers={"X-Correlation-ID": name}, timeout=20)
        return answer.headers["X-Correlation-ID"], answer.json()["correlation_id"]

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(ask, names)) == [(name, name) for name in names]
