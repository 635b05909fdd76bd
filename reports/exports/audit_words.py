"""How the audit log tells what people do to exports."""

from jobs.auditing import Page, words_register

words_register(
    {
        "exports.order": "ordered",
        "exports.cancel": "cancelled",
        "exports.revoke": "revoked the link of",
        "exports.delete": "deleted the file of",
        "exports.download": "downloaded",
    },
    things={"export": Page("exports_export")},
)
