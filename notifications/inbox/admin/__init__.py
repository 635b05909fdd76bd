"""The operators' console of the inbox. Django's admin imports this package at start."""

from notifications.inbox import attention
from notifications.inbox.admin import notifications, pods, recipients

__all__ = ["attention", "notifications", "pods", "recipients"]
