"""The rows of the inbox. Every change of one person's inbox takes that person's next position."""

from notifications.inbox.models.counts import Stat
from notifications.inbox.models.notification import VISIBLE, Notification, State
from notifications.inbox.models.pods import Client, Pod, Push, UsedTicket
from notifications.inbox.models.publishing import Epoch, Outbox
from notifications.inbox.models.recipient import Recipient

__all__ = [
    "VISIBLE",
    "Client",
    "Epoch",
    "Notification",
    "Outbox",
    "Pod",
    "Push",
    "Recipient",
    "Stat",
    "State",
    "UsedTicket",
]
