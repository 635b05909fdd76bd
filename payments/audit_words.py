"""How the audit log tells what people do to payments."""

from jobs.auditing import Page, words_register

words_register(
    {
        "payments.recheck": "had rechecked",
        "payments.bulk_recheck": "had rechecked many",
        "payments.give_up": "gave up",
        "payments.refund_note": "marked as refunded",
        "payments.make_invoice": "had the invoice made of",
        "payments.settle": "accepted the money of",
        "payments.compute": "had computed the",
        "payments.resolve": "answered",
        "payments.replay": "replayed",
        "payments.bulk_replay": "replayed many",
    },
    things={
        "payment": Page("payments_payment"),
        "payment review": Page("payments_review"),
        "incoming webhook": Page("payments_incomingwebhook"),
    },
)
