import importlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType

import pytest

from config.env import SettingInvalid
from config.settings import webhooks

pytestmark = pytest.mark.unit

Read = Callable[..., ModuleType]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """The settings as an environment says them: read(WEBHOOK_PATIENCE="1d")."""

    def again(**environment: str) -> ModuleType:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return importlib.reload(webhooks)

    yield again
    monkeypatch.undo()
    importlib.reload(webhooks)


def test_the_ladder_is_that_of_the_specification_unless_a_site_has_its_own(read: Read) -> None:
    usual = read().WEBHOOK_RETRY_DELAYS
    assert (len(usual), usual[0], usual[-1]) == (9, timedelta(seconds=5), timedelta(hours=24))
    assert sum(usual, timedelta(0)) > timedelta(days=3)
    own = read(WEBHOOK_RETRY_DELAYS="1s 2m").WEBHOOK_RETRY_DELAYS
    assert own == (timedelta(seconds=1), timedelta(minutes=2))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_RETRY_DELAYS", "soon"),
        ("WEBHOOK_RETRY_DELAYS", "31d"),
        ("WEBHOOK_RETRY_DELAYS", "1s " * 51),
        ("WEBHOOK_PATIENCE", "5s"),
        ("WEBHOOK_SECRET_OVERLAP", "a day"),
        ("WEBHOOK_RETENTION_DAYS", "0"),
        ("WEBHOOK_THREADS", "1"),
        ("WEBHOOK_HELPERS", "-1"),
        ("WEBHOOK_ALLOW_HTTP", "perhaps"),
        ("WEBHOOK_PRIVATE_NETWORKS", "home"),
    ],
)
def test_a_wrong_value_stops_the_start_with_its_name(read: Read, name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=name):
        read(**{name: value})
