"""The pages of this console are those of the jobs console, with templates of their own."""

from datetime import date

from django.http import Http404

from jobs.admin.pages import ConsoleAdmin


class StatisticsConsole(ConsoleAdmin):
    folder = "statistics"


def day_of(text: str) -> date:
    """A day of an address. Raises Http404."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404(f"{text} is no day") from None
