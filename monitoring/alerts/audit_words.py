"""How the audit log tells what people do about alerts."""

from jobs.auditing import Page, words_register

words_register(
    {
        "alerts.acknowledge": "acknowledged",
        "alerts.resolve": "resolved",
        "alerts.assign": "assigned",
        "alerts.note": "wrote a note on",
        "alerts.recheck": "had checked again",
        "alerts.escalate": "escalated",
        "alerts.silence": "made",
        "alerts.unsilence": "took back",
        "alerts.receive": "raised or cleared from outside",
    },
    things={
        "alert": Page("alerts_alert"),
        "alert silence": Page("alerts_silence"),
    },
)
