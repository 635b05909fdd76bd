"""A web process of the test's own, which can be killed and started again on its port."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from django.conf import settings
from django.db import connection

from tests.ports import free_port
from tests.processes.waiting import until
from tests.quiet import QUIET

ROOT = Path(__file__).resolve().parent.parent.parent


def environment() -> dict[str, str]:
    """What a web process on the test database needs."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": _database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "LOG_LEVEL": "ERROR",
        "SWITCHBOARD_EXTRA_APPS": QUIET,
    }


def _database_url() -> str:
    parts = connection.settings_dict
    query = urlencode({"host": parts["HOST"]} if parts["HOST"].startswith("/") else {})
    host = "" if query else f"{parts['HOST']}:{parts['PORT'] or 5432}"
    secret = f":{parts['PASSWORD']}" if parts["PASSWORD"] else ""
    return f"postgresql://{parts['USER']}{secret}@{host}/{parts['NAME']}?{query}".rstrip("?")


class Pod:
    """`python -m config.serve` on the test database: the server that holds sockets."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.serve"],
            cwd=ROOT,
            env={**self._environment, "PORT": str(self.port), "POD_ID": "pod-a"},
        )
        until(self._answers, "the web process answers")

    def kill(self) -> None:
        """As kill -9 does it: no goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As a deploy does it. Safe to repeat."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the web process has ended"
        try:
            return requests.get(f"{self.url}/health", timeout=5).ok
        except requests.ConnectionError:
            return False


class Backend:
    """A backend that sends, by REST with a token."""

    def __init__(self, pod: Pod, token: str) -> None:
        self._pod = pod
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, message: str, *, user_id: int = 1, login: str = "alice", **fields: Any) -> str:
        """Send one and return its notification id."""
        body = {
            "target": [{"id": user_id, "login": login}],
            "message": message,
            "source": "order-service",
            **fields,
        }
        answer = self._session.post(f"{self._pod.url}/api/v1/notify", json=body, timeout=20)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["results"][0]["notification_id"])

    def recall(self, notification_id: str) -> None:
        """Take one back."""
        answer = self._session.delete(
            f"{self._pod.url}/api/v1/notify/{notification_id}", timeout=20
        )
        assert answer.status_code == 200, answer.text

    def history(self, *, user_id: int = 1, login: str = "alice") -> list[tuple[str, str]]:
        """(message, status) of all, oldest first."""
        answer = self._session.get(
            f"{self._pod.url}/api/v1/admin/history",
            params={"user_id": str(user_id), "login": login},
            timeout=20,
        )
        assert answer.status_code == 200, answer.text
        return [(each["payload"]["message"], each["status"]) for each in answer.json()["history"]]

    def close(self) -> None:
        self._session.close()
