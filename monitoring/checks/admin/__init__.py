"""The operators' console of services and rules. Django's admin imports this package at start."""

from monitoring.checks import attention
from monitoring.checks.admin import rules, services

__all__ = ["attention", "rules", "services"]
