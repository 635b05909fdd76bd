"""What alerts say about money: payments that fail, people who paid and are not served."""

from datetime import timedelta

from monitoring.alerts.wording.kinds import counted, decimal, number, span, tally
from monitoring.alerts.wording.saying import Saying, Words

# The kinds of subscriptions/access/gaps.py.
GAPS = {
    "ledger_behind": "оплата не записана",
    "ledger_ahead": "записано без оплаты",
    "no_activation": "выдача не начата",
    "waiting": "выдача ждёт",
    "failed": "выдача не удалась",
    "held": "отключён человеком",
    "short": "срок короче оплаченного",
    "off": "отключён в панели",
    "gone": "нет в панели",
}

MONEY = (
    Saying(
        "payment_failures",
        {
            "en": Words(
                "{share} % of the payments fail",
                "{failed} of {ended} failed in {window}; {unpaid} more were not paid[. Why: {why}]",
            ),
            "ru": Words(
                "Не проходит {share} % платежей",
                "За {window} не прошло {failed} из {ended}; ещё не оплачено: {unpaid}"
                "[. Причины: {why}]",
            ),
        },
        {
            "share": decimal(0),
            "failed": number,
            "ended": number,
            "window": span,
            "unpaid": number,
            "why": tally(en={}, ru={}),
        },
        {
            "share": 41.2,
            "failed": 7,
            "ended": 17,
            "window": timedelta(hours=1),
            "unpaid": 4,
            "why": [("provider_error", 5), ("unknown", 2)],
        },
    ),
    Saying(
        "paid_not_served",
        {
            "en": Words("{people} paid and not served", "{kinds}; the oldest for {oldest}"),
            "ru": Words("Оплачено, но не выдано: {people}", "{kinds}; самый давний ждёт {oldest}"),
        },
        {
            "people": counted(en=("person", "people"), ru=("человек", "человека", "человек")),
            "kinds": tally(en={}, ru=GAPS),
            "oldest": span,
        },
        {"people": 3, "kinds": [("short", 2), ("off", 1)], "oldest": timedelta(minutes=9)},
    ),
)
