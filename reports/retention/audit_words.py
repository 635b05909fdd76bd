"""How the audit log tells what people do with retention."""

from jobs.auditing import Page, words_register

words_register(
    {
        "retention.count": "had counted what is old",
        "retention.run": "had removed what is old",
        "retention.cancel": "cancelled",
        "retention.prepare": "had made the",
    },
    things={"retention run": Page("retention_retentionrun")},
)
