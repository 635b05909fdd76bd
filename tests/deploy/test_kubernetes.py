"""The manifests: valid by the schemas of Kubernetes, with few rights, and of one piece with the rest."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from lib import durations

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "deploy" / "k8s"
VERSIONS = ("1.31", "1.37")  # the oldest that we promise, the newest that the schemas know
# Of operators, without a schema in Kubernetes: what their `spec` may say, as far as we say it.
CUSTOM = {
    "ScaledObject": {
        "scaleTargetRef", "pollingInterval", "minReplicaCount", "maxReplicaCount", "fallback",
        "advanced", "triggers",
    },
    "TriggerAuthentication": {"secretTargetRef"},
    "ServiceMonitor": {"selector", "endpoints"},
    "PodMonitor": {"selector", "podMetricsEndpoints"},
    "PrometheusRule": {"groups"},
}  # fmt: skip


def resources() -> Iterator[tuple[str, dict[str, Any]]]:
    """(file/kind/name, resource) of all manifests."""
    for path in sorted(PLACE.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            for each in yaml.safe_load_all(path.read_text()):
                yield f"{path.stem}/{each['kind']}/{each['metadata']['name']}", each


RESOURCES = dict(resources())
PODS = {
    name: each["spec"]["template"]["spec"]
    for name, each in RESOURCES.items()
    if each["kind"] in {"Deployment", "Job"}
}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_a_manifest_is_valid(name: str) -> None:
    resource = RESOURCES[name]
    allowed = CUSTOM.get(resource["kind"])
    if allowed is not None:
        assert set(resource) == {"apiVersion", "kind", "metadata", "spec"}
        assert set(resource["spec"]) <= allowed
        return
    for version in VERSIONS:
        kubernetes_validate.validate(resource, version, strict=True)


def test_the_schema_refuses_what_is_wrong() -> None:
    broken = yaml.safe_load((PLACE / "namespace.yaml").read_text()) | {"spce": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_runs_with_few_rights(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert {"tmp", "data"} <= {mount["name"] for mount in container["volumeMounts"]}
    assert container["resources"]["limits"]["memory"]
    assert not container["image"].endswith(":latest")


def test_probes_ask_what_answers() -> None:
    (web,) = PODS["web/Deployment/switchboard-web"]["containers"]
    (worker,) = PODS["worker/Deployment/switchboard-worker"]["containers"]
    assert web["livenessProbe"]["httpGet"]["path"] == "/health"
    assert web["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert worker["livenessProbe"]["httpGet"] == {"path": "/health", "port": "metrics"}
    ports = {port["name"]: port["containerPort"] for port in worker["ports"]}
    settings = {each["name"]: each.get("value") for each in worker["env"]}
    assert settings["METRICS_PORT"] == str(ports["metrics"])


def test_workers_are_given_longer_than_their_grace() -> None:
    grace = RESOURCES["configmap/ConfigMap/switchboard"]["data"]["WORKER_GRACE"]
    given = PODS["worker/Deployment/switchboard-worker"]["terminationGracePeriodSeconds"]
    assert given >= durations.parse(grace).total_seconds() + 10


def test_the_autoscaler_divides_by_the_slots_of_a_pod() -> None:
    settings = RESOURCES["configmap/ConfigMap/switchboard"]["data"]
    queue = (ROOT / "config" / "settings" / "queue.py").read_text()
    threads = re.search(r'"WORKER_THREADS", (\d+)', queue)
    assert threads
    processes = int(settings["WORKER_CONCURRENCY"])
    scaled = RESOURCES["scaling/ScaledObject/switchboard-worker"]["spec"]
    slots = {
        trigger["metadata"]["url"].rpartition("queue=")[2]: trigger["metadata"]["targetValue"]
        for trigger in scaled["triggers"]
    }
    assert slots == {
        "default": str(processes),
        "maintenance": str(processes),
        "notifications": str(processes * int(threads[1])),
    }
    assert all(each["metadata"]["valueLocation"] == "desired" for each in scaled["triggers"])
    assert scaled["minReplicaCount"] >= 1, "somebody must fire the schedules"
    host = scaled["triggers"][0]["metadata"]["url"].split("/")[2].split(":")[0]
    assert host in settings["ALLOWED_HOSTS"].split(",")


def test_the_settings_are_those_that_are_documented() -> None:
    documented = (ROOT / "docs" / "operations.md").read_text()
    given = {
        *RESOURCES["configmap/ConfigMap/switchboard"]["data"],
        *RESOURCES["secret.example/Secret/switchboard"]["stringData"],
    }
    assert sorted(name for name in given if f"`{name}`" not in documented) == []


def test_the_secrets_are_an_example_that_is_not_applied() -> None:
    applied = yaml.safe_load((PLACE / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in PLACE.glob("*.yaml")} - {"kustomization.yaml"}
    assert there - set(applied) == {"secret.example.yaml"}
    assert set(applied) <= there


def test_every_selector_finds_pods() -> None:
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in RESOURCES.values()
        if each["kind"] in {"Deployment", "Job"}
    ]
    for name, each in RESOURCES.items():
        spec = each.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= found.items() for found in labels), name


def test_the_rules_are_those_of_prometheus() -> None:
    spec = importlib.util.spec_from_file_location("rules", PLACE / "rules.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    renew = "python deploy/k8s/rules.py > deploy/k8s/rules.yaml"
    assert module.rules() == (PLACE / "rules.yaml").read_text(), renew
