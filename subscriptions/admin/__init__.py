"""The pages of subscriptions in the console; each file is one of them."""

from subscriptions.admin import notices, sweeps

__all__ = ["notices", "sweeps"]
