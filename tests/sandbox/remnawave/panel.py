"""All state of the panel in one place. One event loop uses it, so nothing needs a lock."""

from typing import Any

from tests.sandbox.clock import SandboxClock
from tests.sandbox.remnawave.background import Background
from tests.sandbox.remnawave.dialect import DEFAULT_VERSION, Dialect
from tests.sandbox.remnawave.nodes import Node, NodeStore, node_json
from tests.sandbox.remnawave.render import user_json
from tests.sandbox.remnawave.settings import PanelSettings
from tests.sandbox.remnawave.squads import NAMES
from tests.sandbox.remnawave.store import UserStore
from tests.sandbox.remnawave.tokens import TokenBook
from tests.sandbox.remnawave.traffic import CallCounters
from tests.sandbox.remnawave.usage import Usage
from tests.sandbox.remnawave.user import PanelUser
from tests.sandbox.remnawave.webhooks import WebhookBook
from tests.sandbox.remnawave.writes import WriteBook


class Panel:
    """One Remnawave panel."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.background = Background()
        self.users = UserStore()
        self.nodes = NodeStore()
        self.nodes.reset(self.now_ms())
        self.usage = Usage()
        self.devices: dict[int, list[dict[str, str]]] = {}
        self.metadata: dict[int, dict[str, Any]] = {}
        self.writes = WriteBook()
        self.calls = CallCounters()
        self.tokens = TokenBook()
        self.webhooks = WebhookBook(clock, self.background)
        self.settings = PanelSettings()
        self.dialect = Dialect(DEFAULT_VERSION)
        self.queued = 0
        self.revision = 0

    def reset(self) -> None:
        """Back to the state of a fresh start; what was queued is dropped."""
        self.background.cancel()
        self.queued = 0
        self.users.reset()
        self.nodes.reset(self.now_ms())
        self.usage.reset()
        self.devices.clear()
        self.metadata.clear()
        self.writes.reset()
        self.calls.reset()
        self.tokens.reset()
        self.webhooks.reset()
        self.settings = PanelSettings()
        self.dialect = Dialect(DEFAULT_VERSION)
        self.revision += 1

    def now_ms(self) -> int:
        return round(self.clock.timestamp() * 1000)

    def show(self, user: PanelUser) -> dict[str, Any]:
        """The user object in the words of the dialect in force."""
        return user_json(user, self.dialect, NAMES, self.settings.renamed_keys)

    def announce(self, event: str, user: PanelUser, meta: dict[str, Any] | None = None) -> None:
        """Send a webhook about a user, if anybody wants it."""
        self.revision += 1
        if self.webhooks.wants(event):
            self.webhooks.send("user", event, self.show(user), user_id=user.id, meta=meta)

    def announce_node(self, event: str, node: Node) -> None:
        """Send a webhook about a node, if anybody wants it."""
        self.announce_other("node", event, node_json(node, self.dialect))

    def announce_other(self, scope: str, event: str, content: dict[str, Any]) -> None:
        """Send a webhook of any scope, if anybody wants it."""
        self.revision += 1
        if self.webhooks.wants(event):
            self.webhooks.send(scope, event, content)
