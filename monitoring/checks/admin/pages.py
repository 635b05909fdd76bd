"""The pages of this console are those of the jobs console, with templates of their own."""

from jobs.admin.pages import ConsoleAdmin


class ChecksConsole(ConsoleAdmin):
    folder = "checks"
