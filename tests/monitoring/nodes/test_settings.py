"""Wrong settings of servers stop the start with a sentence."""

import runpy
from datetime import timedelta
from pathlib import Path

import pytest

from config.env import SettingInvalid
from jobs.registry import kind_get

pytestmark = pytest.mark.unit

PATH = Path(__file__).resolve().parents[3] / "config" / "settings" / "nodes.py"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NODE_CHECK_EVERY", "5s"),
        ("NODE_CHECK_EVERY", "often"),
        ("NODE_BANDWIDTH_EVERY", "7m"),
        ("NODE_BANDWIDTH_EVERY", "2h"),
        ("NODE_DOWN_HOLD", "1h"),
        ("NODE_FLAP_LOSSES", "1"),
        ("NODE_SILENT_PERCENT", "0"),
        ("NODE_SAMPLES_KEPT", "1h"),
        ("NODE_HOURS_KEPT", "1d"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingInvalid, match=rf"^{name} .+\.$"):
        runpy.run_path(str(PATH))


def test_right_settings_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_BANDWIDTH_EVERY", "10m")
    found = runpy.run_path(str(PATH))
    assert found["NODE_BANDWIDTH_EVERY"] == timedelta(minutes=10)
    assert found["NODE_CHECK_EVERY"] == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("kind", "every", "cron"),
    [
        ("check_nodes", timedelta(minutes=2), ""),
        ("collect_bandwidth", timedelta(minutes=5), ""),
        ("rollup_bandwidth", None, "5 * * * *"),
        ("sync_locations", timedelta(hours=6), ""),
        ("sync_node_configs", timedelta(minutes=30), ""),
        ("forget_traffic", None, "20 4 * * *"),
    ],
)
def test_each_job_runs_by_itself(kind: str, every: timedelta | None, cron: str) -> None:
    periodic = kind_get(f"monitoring.{kind}").periodic
    assert periodic is not None
    assert (periodic.every, periodic.cron) == (every, cron)
