"""The pages of this console are those of the jobs console, with templates of their own."""

from jobs.admin.pages import ConsoleAdmin


class ConversationsConsole(ConsoleAdmin):
    folder = "conversations"


def number_of(text: str, most: int = 2**63 - 1) -> int | None:
    """A whole number from 0 to most; None for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if int(text) <= most else None
