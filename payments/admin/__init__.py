"""The operators' console of the payments. Django's admin imports this package at start."""

from payments import attention
from payments.admin import days, payments, reviews, webhooks

__all__ = ["attention", "days", "payments", "reviews", "webhooks"]
