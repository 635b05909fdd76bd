"""The operators' console of the conversations. Django's admin imports this package at start."""

from notifications.conversations import attention
from notifications.conversations.admin import dialogs, notices

__all__ = ["attention", "dialogs", "notices"]
