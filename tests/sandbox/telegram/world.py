"""All state of the Telegram side in one place. One event loop uses it, so nothing needs a lock."""

from dataclasses import dataclass, field

from tests.sandbox.telegram.behaviours import ChatBook
from tests.sandbox.telegram.bots import BotBook
from tests.sandbox.telegram.buttons import PressBook
from tests.sandbox.telegram.documents import DocumentStore
from tests.sandbox.telegram.limits import FloodLimits, LimitRules
from tests.sandbox.telegram.stats import Traffic
from tests.sandbox.telegram.store import MessageStore
from tests.sandbox.telegram.webhook import WebhookBook


@dataclass(slots=True)
class World:
    """All that the sandbox knows about Telegram."""

    bots: BotBook = field(default_factory=BotBook)
    chats: ChatBook = field(default_factory=ChatBook)
    limits: FloodLimits = field(default_factory=FloodLimits)
    messages: MessageStore = field(default_factory=MessageStore)
    documents: DocumentStore = field(default_factory=DocumentStore)
    webhooks: WebhookBook = field(default_factory=WebhookBook)
    presses: PressBook = field(default_factory=PressBook)
    traffic: Traffic = field(default_factory=Traffic)

    def reset(self) -> None:
        """Back to the state of a fresh start, except that message ids go on."""
        self.bots.reset()
        self.chats.clear()
        self.limits.change(LimitRules())
        self.messages.reset()
        self.documents.reset()
        self.webhooks.reset()
        self.presses.reset()
        self.traffic.reset()
