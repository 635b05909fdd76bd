"""The operators' console of the Telegram queue. Django's admin imports this package at start."""

from notifications.telegram import attention
from notifications.telegram.admin import chats, messages

__all__ = ["attention", "chats", "messages"]
