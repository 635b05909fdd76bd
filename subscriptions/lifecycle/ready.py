"""What the life cycle makes known when the apps are ready."""

from importlib import import_module

from subscriptions.lifecycle import progress
from subscriptions.lifecycle.expired import EXPIRED
from subscriptions.lifecycle.kinds import sweep_register
from subscriptions.lifecycle.resetting import RESET


def register() -> None:
    """Sweeps, their progress pages, and what needs a person."""
    sweep_register(EXPIRED)
    sweep_register(RESET)
    progress.register()
    import_module("subscriptions.lifecycle.attention")
