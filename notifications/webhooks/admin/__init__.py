"""The operators' console of the webhooks. Django's admin imports this package at start."""

from notifications.webhooks import attention
from notifications.webhooks.admin import deliveries, endpoints

__all__ = ["attention", "deliveries", "endpoints"]
