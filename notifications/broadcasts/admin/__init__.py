"""The operators' console of the broadcasts. Django's admin imports this package at start."""

from notifications.broadcasts.admin import audiences, broadcasts, progress

__all__ = ["audiences", "broadcasts", "progress"]
