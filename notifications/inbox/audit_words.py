"""How the audit log tells what people do to the inbox."""

from jobs.auditing import Page, Sought, words_register

words_register(
    {
        "inbox.send": "sent",
        "inbox.update": "edited",
        "inbox.recall": "recalled",
        "inbox.expire": "expired",
        "inbox.bulk_recall": "recalled many",
        "inbox.bulk_expire": "expired many",
        "inbox.preferences": "changed the preferences of",
    },
    things={
        "notification": Page("inbox_notification"),
        "recipient": Sought("inbox_recipient"),
    },
    pairs={"inbox.preferences"},
)
