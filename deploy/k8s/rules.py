"""Prints rules.yaml: the rules of deploy/prometheus as a PrometheusRule of the Prometheus operator.

    python deploy/k8s/rules.py > deploy/k8s/rules.yaml

A test holds that the file is what this prints.
"""

import sys
from pathlib import Path

import yaml

RULES = Path(__file__).resolve().parents[1] / "prometheus" / "rules"
HEAD = """# Made by deploy/k8s/rules.py of deploy/prometheus/rules: change those, not this.
# externalLabels.console of your Prometheus is where the links of alerts lead (SITE_URL).
"""


def rules() -> str:
    """The whole file."""
    groups = [
        group
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "switchboard",
            "labels": {
                "app.kubernetes.io/name": "switchboard",
                "app.kubernetes.io/part-of": "switchboard",
            },
        },
        "spec": {"groups": groups},
    }
    return HEAD + yaml.safe_dump(resource, sort_keys=False, width=110, allow_unicode=True)


if __name__ == "__main__":
    sys.stdout.write(rules())
