"""Settings that lead to the panel of the sandbox."""

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_django.fixtures import Settings

from subscriptions.panel.door import clients_forget
from tests.sandbox.fixture import Sandbox

TOKEN = "token-of-the-panel"
SECRET = "Secret0of0the0panel0Secret0of0the0panel"  # with which it signs its webhooks


@contextmanager
def panel_reached(sandbox: Sandbox, settings: Settings) -> Iterator[None]:
    """The panel, as fast as a test can ask. It lives as a real one does, by its own sweeps."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = TOKEN
    settings.REMNAWAVE_WEBHOOK_SECRET = SECRET
    settings.PANEL_RATE, settings.PANEL_DIALECT = "100000/s", "auto"
    clients_forget()
    yield
    clients_forget()


@contextmanager
def panel_at_rest(sandbox: Sandbox, settings: Settings) -> Iterator[None]:
    """The same, but nothing happens in it unless a test says so, and what it queues it does at once."""
    with panel_reached(sandbox, settings):
        sandbox.panel.settings(expiry_every_s=1e7, limited_every_s=1e7, bulk_delay_s=0)
        yield
