"""Wrong settings of payments stop the start with a sentence that names them."""

import importlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType

import pytest

from config.env import SettingInvalid
from config.settings import payments

pytestmark = pytest.mark.unit

Read = Callable[..., ModuleType]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """The settings as an environment says them: read(INVOICE_TTL="1h")."""

    def again(**environment: str) -> ModuleType:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return importlib.reload(payments)

    yield again
    monkeypatch.undo()
    importlib.reload(payments)


def test_a_site_has_its_own_span_of_invoices(read: Read) -> None:
    found = read(INVOICE_TTL="90m").INVOICE_TTL
    assert found == timedelta(minutes=90)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INVOICE_TTL", "25h"),
        ("INVOICE_TTL", "10s"),
        ("INVOICE_TTL", "soon"),
        ("CRYPTOBOT_ENABLED", "perhaps"),
        ("CRYPTOBOT_API_URL", "pay.crypt.bot"),
        ("CLEANUP_WEBHOOK_RETENTION_DAYS", "0"),
    ],
)
def test_a_wrong_value_stops_the_start(read: Read, name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=name):
        read(**{name: value})
