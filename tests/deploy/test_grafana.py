"""The dashboards as files: whole, with units and links. That their queries are answered is shown by
tests/config/run/test_run.py, which asks a Prometheus that scrapes a running site."""

import json
import re
from typing import Any

import pytest
import yaml
from django.test import Client
from django.urls import Resolver404, resolve

from tests.deploy.scraping import BOARDS, VARIABLES

GRAFANA = BOARDS.parent
BY_NAME = {path.stem: json.loads(path.read_text()) for path in sorted(BOARDS.glob("*.json"))}
DRAWN = ("timeseries", "stat", "state-timeline", "heatmap", "table")


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


@pytest.mark.unit
def test_there_is_a_dashboard_for_each_view() -> None:
    assert set(BY_NAME) == {"jobs", "notifications", "business", "infrastructure"}
    uids = [board["uid"] for board in BY_NAME.values()]
    assert len(set(uids)) == len(uids)


@pytest.mark.unit
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_panel_has_a_unit_a_legend_and_thresholds(name: str) -> None:
    for panel in panels(BY_NAME[name]):
        assert panel["type"] in DRAWN, panel["title"]
        assert panel["targets"], panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"], panel["title"]
        if panel["type"] == "timeseries":
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


@pytest.mark.unit
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_panels_lie_side_by_side(name: str) -> None:
    """No two of them in one place, and none over the edge."""
    taken: set[tuple[int, int]] = set()
    for panel in BY_NAME[name]["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.unit
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_variable_is_declared(name: str) -> None:
    board = BY_NAME[name]
    declared = {variable["name"] for variable in board["templating"]["list"]}
    text = json.dumps([board["panels"], board["links"]])
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval"}
    assert used <= declared
    known = {each.removeprefix("$") for each in VARIABLES} | {"datasource", "console"}
    assert declared <= known


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_links_lead_to_pages_of_the_console(name: str, client: Client) -> None:
    board = BY_NAME[name]
    links = [*board["links"], *(link for panel in panels(board) for link in panel.get("links", ()))]
    paths = {
        link["url"].removeprefix("${console}").split("?")[0] for link in links if "url" in link
    }
    assert len(paths) > 3
    missing = []
    for path in paths:
        try:
            found = resolve(path)
        except Resolver404:
            missing.append(path)
        else:  # the admin answers whatever it does not know, too
            if found.url_name is None:
                missing.append(path)
    assert missing == []


@pytest.mark.unit
def test_grafana_is_told_where_they_are() -> None:
    (provider,) = yaml.safe_load(
        (GRAFANA / "provisioning" / "dashboards" / "switchboard.yml").read_text()
    )["providers"]
    compose = yaml.safe_load((GRAFANA.parents[1] / "compose.yaml").read_text())
    mounts = [volume.split(":") for volume in compose["services"]["grafana"]["volumes"]]
    assert ["./deploy/grafana/dashboards", provider["options"]["path"], "ro"] in mounts
    (source,) = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text()
    )["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose["services"]
