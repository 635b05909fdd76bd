"""How the audit log tells what people do to broadcasts."""

from jobs.auditing import Page, words_register

words_register(
    {
        "broadcasts.create": "wrote",
        "broadcasts.edit": "edited",
        "broadcasts.clone": "made, as a copy,",
        "broadcasts.schedule": "changed the start of",
        "broadcasts.send_now": "sent",
        "broadcasts.test_send": "sent a test of",
        "broadcasts.pause": "paused",
        "broadcasts.resume": "resumed",
        "broadcasts.cancel": "cancelled",
        "broadcasts.resend": "resent to the missing",
        "broadcasts.recall_delete": "took back",
        "broadcasts.recall_edit": "corrected where it was delivered",
        "broadcasts.upload": "uploaded",
        "broadcasts.cancel_upload": "cancelled the upload of",
        "broadcasts.import": "imported",
        "broadcasts.forget_audience": "deleted",
    },
    things={
        "broadcast": Page("broadcasts_broadcast"),
        "audience": Page("broadcasts_audience"),
    },
)
