"""The pages of subscriptions in the console; each file is one of them."""

from subscriptions.admin import (
    access,
    drifts,
    notices,
    now,
    operations,
    passes,
    plans,
    subscribers,
    sweeps,
)

__all__ = [
    "access",
    "drifts",
    "notices",
    "now",
    "operations",
    "passes",
    "plans",
    "subscribers",
    "sweeps",
]
