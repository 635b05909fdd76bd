"""How the audit log tells what people do to the Telegram queue."""

from jobs.auditing import Page, words_register

words_register(
    {
        "telegram.send": "wrote",
        "telegram.retry": "retried",
        "telegram.cancel": "cancelled",
        "telegram.bulk_retry": "retried many",
        "telegram.bulk_cancel": "cancelled many",
    },
    things={
        "telegram message": Page("telegram_queuedmessage"),
    },
)
