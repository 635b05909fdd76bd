"""A real Prometheus with the rules of deploy/, for a test that has a running site, and every query that we
ship to ask it."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.deploy.programs import ROOT, program, running
from tests.ports import free_port

RULES = ROOT / "deploy" / "prometheus" / "rules"
BOARDS = ROOT / "deploy" / "grafana" / "dashboards"
# What Grafana puts in place of its variables.
VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": "1m",
    **dict.fromkeys(("$queue", "$pod", "$node"), ".*"),
}
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_MATCHERS = re.compile(r"\{[^}]*\}")
_LISTS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?![a-zA-Z0-9_:]|\s*\()")
_WORDS = frozenset({"and", "or", "unless", "offset", "bool", "inf", "nan"})
_NUMBERS = re.compile(r"\b\d[\w.]*|\[[^\]]*\]")


def alerts() -> dict[str, str]:
    """{name of an alert: its expression}."""
    return {rule["alert"]: rule["expr"] for rule in _rules() if "alert" in rule}


def records() -> list[str]:
    """The names that rules record."""
    return [rule["record"] for rule in _rules() if "record" in rule]


def panels() -> Iterator[tuple[str, str]]:
    """(dashboard: panel, query as Grafana would ask it)."""
    for path in sorted(BOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", ()):
                query = target["expr"]
                for name, value in VARIABLES.items():
                    query = query.replace(name, value)
                yield f"{path.stem}: {panel['title']} {target['refId']}", query


def metrics_of(query: str) -> set[str]:
    """The names of the metrics that an expression reads."""
    bare = _STRINGS.sub('""', query)
    for pattern in (_MATCHERS, _LISTS, _NUMBERS):
        bare = pattern.sub(" ", bare)
    return {name for name in _NAME.findall(bare) if name.lower() not in _WORDS}


def _rules() -> Iterator[dict[str, Any]]:
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


class Prometheus:
    """Asks a running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def is_ready(self) -> bool:
        try:
            return self._session.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False

    def up(self) -> dict[str, str]:
        """{job: "up", "down" or "unknown"} of what it scrapes."""
        found = self._asked("targets")["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in found}

    def names(self) -> set[str]:
        """The metrics that it has."""
        return set(self._asked("label/__name__/values"))

    def answers(self, query: str) -> bool:
        """Whether a query has a result. Raises if it is refused."""
        return bool(self._asked("query", query=query)["result"])

    def ill_rules(self) -> list[str]:
        """What it could not evaluate, and why."""
        return [
            f"{rule['name']}: {rule['lastError']}"
            for group in self._asked("rules")["groups"]
            for rule in group["rules"]
            if rule["health"] == "err"
        ]

    def _asked(self, path: str, **params: str) -> Any:
        answer = self._session.get(f"{self.url}/api/v1/{path}", params=params, timeout=30)
        said = answer.json()
        assert said["status"] == "success", f"{params}: {said}"
        return said["data"]


@contextmanager
def prometheus(*, web: str, worker: str) -> Iterator[Prometheus]:
    """One that scrapes both addresses (host:port) each three seconds, until the block ends."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="switchboard-prometheus-") as scratch:
        config = yaml.safe_load((RULES.parent / "prometheus.yml").read_text())
        config["global"] |= {
            "scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "2s",
        }  # fmt: skip
        config["rule_files"] = [str(RULES / "*.yml")]
        config.pop("alerting")
        targets = {
            "switchboard-web": web,
            "switchboard-worker": worker,
            "prometheus": f"127.0.0.1:{port}",
        }
        config["scrape_configs"] = [
            {"job_name": name, "static_configs": [{"targets": [targets[name]]}]}
            for name in (job["job_name"] for job in config["scrape_configs"])
            if name in targets
        ]
        path = Path(scratch, "prometheus.yml")
        path.write_text(yaml.safe_dump(config))
        command = [
            program("prometheus", "prometheus"), f"--config.file={path}",
            f"--storage.tsdb.path={scratch}/data", f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        with running(command, Path(scratch, "log")):
            yield Prometheus(f"http://127.0.0.1:{port}")
