"""A real Alertmanager with the configuration of deploy/, for a test that has a running site."""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.deploy.programs import ROOT, program, running
from tests.deploy.scraping import RULES
from tests.ports import free_port

CONFIG = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
SECRETS = "/run/secrets"  # where compose.yaml and Kubernetes put them
SITE = "http://web:8000"  # what the configuration calls us
SHARE = Path("/usr/share")
TEMPLATES = SHARE / "prometheus" / "alertmanager" / "default.tmpl"
HOUR = timedelta(hours=1)


class Alertmanager:
    """Is told of alerts as Prometheus tells it: the whole alert again, also when it is over."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url, self._process, self._log = url, process, log
        self._session = requests.Session()
        self._session.trust_env = False

    def is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        try:
            return self._session.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def tell(self, alert: Mapping[str, Any], *, is_over: bool = False) -> None:
        """An alert of our rules fires, or is over since just now."""
        now = datetime.now(UTC)
        body = {
            "labels": {"alertname": alert["alert"], **alert["labels"]},
            "annotations": dict(alert["annotations"]),
            "startsAt": (now - HOUR).isoformat(),
            "endsAt": (now if is_over else now + HOUR).isoformat(),
        }
        answer = self._session.post(f"{self.url}/api/v2/alerts", json=[body], timeout=10)
        assert answer.ok, answer.text


def rule_of(name: str, **values: str) -> dict[str, Any]:
    """The alert of that name in our rules. values: the annotations, as Prometheus would fill them in."""
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") == name:
                    return {**rule, "annotations": {**rule["annotations"], **values}}
    raise LookupError(f"no rule raises {name}")


@contextmanager
def alertmanager(*, site: str, token: str) -> Iterator[Alertmanager]:
    """One that sends to a site at once, until the block ends. site: http://host:port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="switchboard-alertmanager-") as scratch:
        written = CONFIG.read_text()
        assert SITE in written
        assert SECRETS in written
        config = yaml.safe_load(written.replace(SITE, site).replace(SECRETS, scratch))
        config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
        Path(scratch, "alerts_token").write_text(token)
        path = Path(scratch, "alertmanager.yml")
        path.write_text(yaml.safe_dump(config))
        command = [
            *_program(),
            f"--config.file={path}", f"--storage.path={scratch}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        ]  # fmt: skip
        log = Path(scratch, "log")
        with running(command, log) as process:
            yield Alertmanager(f"http://127.0.0.1:{port}", process, log)


def _program() -> list[str]:
    """Debian's reads its templates from one place only: where they are not installed, that place is put
    there for the process alone (a mount namespace of its own)."""
    found = Path(program("prometheus-alertmanager", "prometheus-alertmanager"))
    if TEMPLATES.exists():
        return [str(found)]
    share = found.parent.parent / "share"
    script = f'mount --bind "$0" {SHARE} && exec "$@"'
    return [
        "unshare", "--map-root-user", "--mount", "sh", "-c", script, str(share), str(found),
    ]  # fmt: skip
