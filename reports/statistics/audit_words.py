"""How the audit log tells what people do to statistics and reports."""

from jobs.auditing import Page, words_register

words_register(
    {
        "statistics.compute": "had computed",
        "reports.make": "made",
        "reports.renew": "wrote anew",
        "reports.send": "sent",
        "reports.subscribe": "said what is sent to",
        "reports.unsubscribe": "forgot",
    },
    things={
        "day": Page("statistics_dailystat"),
        "report": Page("statistics_report"),
    },
)
