"""What the file watch tells a chat."""

from notifications.telegram.kinds import Message, line, number, optional, rows, url

FILES = (
    Message(
        "files_changed",
        "To the chat of a rule: which files changed in one window; the first of them by name.",
        {
            "rule": line,
            "total": number,
            "added_count": optional(number),
            "added": rows(name=line),
            "modified_count": optional(number),
            "modified": rows(name=line),
            "moved_count": optional(number),
            "moved": rows(old_name=line, new_name=line),
            "deleted_count": optional(number),
            "deleted": rows(name=line),
            "more": optional(number),
            "url": optional(url),
        },
        {
            "rule": "Contracts",
            "total": 25,
            "added_count": 21,
            "added": [{"name": "2026/acme.pdf"}, {"name": "2026/tom & jerry.pdf"}],
            "modified_count": 2,
            "modified": [{"name": "prices.xlsx"}],
            "moved_count": 1,
            "moved": [{"old_name": "draft.pdf", "new_name": "signed.pdf"}],
            "deleted_count": 1,
            "deleted": [{"name": "old.pdf"}],
            "more": 20,
            "url": "https://example.com/admin/",
        },
    ),
)
