"""The pages of subscriptions are those of the jobs console, with templates of their own."""

from datetime import datetime

from jobs.admin.pages import ConsoleAdmin


class SubscriptionConsole(ConsoleAdmin):
    folder = "subscriptions"


def moment_of(text: str) -> datetime | None:
    """A moment as an address has it, with its zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
