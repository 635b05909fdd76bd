"""Settings that cannot be used stop the start with a sentence."""

import importlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType

import pytest

from config.env import SettingInvalid
from config.settings import checks

pytestmark = pytest.mark.unit

Read = Callable[..., ModuleType]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """The settings as an environment says them: read(RULE_COOLDOWN="1h")."""

    def again(**environment: str) -> ModuleType:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return importlib.reload(checks)

    yield again
    monkeypatch.undo()
    importlib.reload(checks)


def test_a_site_has_thresholds_of_its_own(read: Read) -> None:
    found = read(
        RULE_NODE_OFFLINE="10m", RULE_QUEUE_DEPTH="2000", HEALTH_CHECK_INTERVAL_SECONDS="120",
        WORKER_MEMORY_LIMIT_MB="1024",
    )  # fmt: skip
    assert (found.RULE_NODE_OFFLINE, found.RULE_QUEUE_DEPTH) == (600, 2000)
    assert timedelta(minutes=2) == found.SERVICE_CHECK_INTERVAL
    assert found.WORKER_MEMORY_LIMIT == 2**30


def test_addresses_of_the_uplink_may_be_of_both_kinds(read: Read) -> None:
    found = read(UPLINK_PROBES="tcp://1.1.1.1:443, https://example.com")
    assert found.UPLINK_PROBES == ["tcp://1.1.1.1:443", "https://example.com"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPLINK_PROBES", "https://example.com,1.1.1.1"),
        ("UPLINK_PROBES", "tcp://1.1.1.1"),
        ("UPLINK_PROBES", "ftp://example.com"),
        ("UPLINK_PROBES", "https://user:pass@example.com"),
        ("UPLINK_PROBES", "tcp://a:b"),
        ("HEALTH_CHECK_INTERVAL_SECONDS", "1"),
        ("SERVICE_CHECK_TIMEOUT", "2m"),
        ("RULE_ERROR_RATE_PERCENT", "101"),
        ("RULE_COOLDOWN", "soon"),
    ],
)
def test_a_wrong_value_is_named(read: Read, name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=name):
        read(**{name: value})
