"""A panel that outlives its process."""

from pathlib import Path

import pytest

from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process


def test_people_nodes_and_traffic_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANDBOX_PANEL_FILE", str(tmp_path / "panel.json"))
    with Sandbox() as first:
        ids = first.panel.seed(5, disabled_share=0.5)
        first.panel.operator(ids[0], "revoke")
        first.panel.operator(ids[4], "delete")
        first.panel.use(ids, 1000)
        first.panel.add_device(ids[1], "A1B2")
        first.panel.dialect("2.8")
        users, nodes = first.panel.users(), first.panel.nodes()
    with Sandbox() as second:
        assert second.panel.users() == users
        assert second.panel.nodes() == nodes
        assert second.panel.add()["id"] == ids[4] + 1


def test_without_a_file_every_start_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_PANEL_FILE", raising=False)
    with Sandbox() as first:
        first.panel.seed(1)
    with Sandbox() as second:
        assert second.panel.users() == []
