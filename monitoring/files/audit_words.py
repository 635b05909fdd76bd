"""How the audit log tells what people do to the file watch."""

from jobs.auditing import Page, words_register

words_register(
    {
        "files.create": "made",
        "files.edit": "edited",
        "files.delete": "deleted",
        "files.pause": "paused",
        "files.resume": "resumed",
        "files.scan": "had looked at all of",
        "files.retry": "retried what failed of",
    },
    things={
        "file rule": Page("files_rule"),
        "file batch": Page("files_filebatch"),
    },
)
