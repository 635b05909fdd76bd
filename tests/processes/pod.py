"""A real web process: `python -m config.serve` on a port of its own."""

import json
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.ports import free_port
from tests.processes.cluster import _die_with_us
from tests.processes.site import PROJECT, Site
from tests.processes.waiting import until

PATIENCE_S = 30.0  # with one answer


class Pod:
    """Starts at once; `wait_ready` returns when it answers."""

    def __init__(self, site: Site, name: str, **environment: str) -> None:
        self.name = name
        self.port = free_port()
        self.log = site.scratch / f"{name}-{self.port}.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.serve"], cwd=PROJECT,
                env={
                    **site.environment, "OPEN_IDENTITY": "1", "POD_ID": name,
                    "PORT": str(self.port), **environment,
                },
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                preexec_fn=_die_with_us,  # noqa: PLW1509 - one call of the kernel
            )  # fmt: skip

    def wait_ready(self) -> "Pod":
        until(self._is_ready, f"{self.name} is ready; {self.log.read_text()[-2000:]}")
        return self

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            return self.ask("GET", "/ready")[0] == 200
        except (OSError, HTTPException):
            return False

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """One request on a connection of its own: (status, JSON). Raises OSError, HTTPException."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Content-Type": "application/json", **headers},
            )  # fmt: skip
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(text) if is_json and text else {"text": text.decode()}

    def notify(self, message: str, *people: tuple[int, str], **fields: Any) -> list[str]:
        """Send one message; the ids of the notifications, in the order of the people."""
        targets = [{"id": user_id, "login": login} for user_id, login in people]
        body = {"target": targets, "message": message, "source": "test", **fields}
        status, answer = self.ask("POST", "/api/v1/notify", body)
        assert status == 202, answer
        return [each["notification_id"] for each in answer["results"]]

    def metric(self, name: str) -> float:
        """A number of /metrics that has no labels."""
        for line in self.ask("GET", "/metrics")[1]["text"].splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise AssertionError(f"{self.name} has no metric {name}")

    def errors(self) -> list[dict[str, Any]]:
        """What it logged as an error."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if line["level"] in {"ERROR", "CRITICAL"}]

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self, within_s: float = 60.0) -> int:
        """SIGTERM. Returns the exit status."""
        self.process.terminate()
        return self.process.wait(within_s)

    def end(self) -> None:
        if self.process.poll() is None:
            self.kill()
