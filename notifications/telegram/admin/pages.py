"""The pages of this console are those of the jobs console, with templates of their own."""

from jobs.admin.pages import ConsoleAdmin


class TelegramConsole(ConsoleAdmin):
    folder = "telegram"


def number_of(text: str) -> int | None:
    """A whole number of at most 64 bits; None for anything else."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
