"""What alerts say about the job platform: failures, backlog, workers, schedules, tables."""

from datetime import timedelta

from monitoring.alerts.wording.kinds import (
    MEBIBYTE,
    counted,
    decimal,
    number,
    shares,
    span,
    text,
)
from monitoring.alerts.wording.saying import Saying, Words

_PARTS_EN = (
    "Nothing is lost: such rows stand in a partition of the rest. Old ones of it are deleted row by "
    "row, which takes longer than dropping a day."
)
_PARTS_RU = (
    "Ничего не потеряно: такие строки лежат в отдельной части таблицы. Старые оттуда удаляются по "
    "одной, это дольше, чем убрать целый день."
)

WORK = (
    Saying(
        "error_rate",
        {
            "en": Words(
                "{share} % of the tries of jobs failed",
                "{failed} of {runs} tries failed in {minutes} minutes[. Most: {worst}]",
            ),
            "ru": Words(
                "Не удалось {share} % попыток заданий",
                "За {minutes} мин не удалось {failed} из {runs}[. Чаще всего: {worst}]",
            ),
        },
        {
            "share": decimal(1),
            "failed": number,
            "runs": number,
            "minutes": number,
            "worst": shares,
        },
        {
            "share": 12.34,
            "failed": 120,
            "runs": 972,
            "minutes": 15,
            "worst": [("payments.verify_pending", 70, 100)],
        },
    ),
    Saying(
        "queue_depth",
        {
            "en": Words(
                "[more than {over}][{waiting}] due jobs wait in the queue {queue}",
                "{running} run, {later} are due later.[ The oldest waits for {oldest}.]"
                "[ It was paused by {paused_by}: {paused_why}.]",
            ),
            "ru": Words(
                "В очереди {queue} ждут: [больше {over}][{waiting}]",
                "Идут: {running}, срок позже: {later}.[ Самое старое ждёт {oldest}.]"
                "[ Очередь остановил {paused_by}: {paused_why}.]",
            ),
        },
        {
            "queue": text,
            "waiting": number,
            "over": number,
            "running": number,
            "later": number,
            "oldest": span,
            "paused_by": text,
            "paused_why": text,
        },
        {
            "queue": "default",
            "waiting": None,
            "over": 10_000,
            "running": 8,
            "later": 12_000,
            "oldest": timedelta(minutes=12),
            "paused_by": "olga",
            "paused_why": "maintenance",
        },
    ),
    Saying(
        "worker_memory",
        {
            "en": Words(
                "The worker {worker} uses {used} of {limit} MB",
                "It is replaced between two jobs when it has outgrown its limit.",
            ),
            "ru": Words(
                "Обработчик {worker} занял {used} из {limit} МБ памяти",
                "Когда он перерастёт предел, его заменят между двумя заданиями.",
            ),
        },
        {"worker": text, "used": decimal(0, MEBIBYTE), "limit": decimal(0, MEBIBYTE)},
        {"worker": "w-1", "used": 500 * MEBIBYTE, "limit": 512 * MEBIBYTE},
    ),
    Saying(
        "schedule_overdue",
        {
            "en": Words(
                "The schedule {schedule} is overdue",
                "{count} wait to be fired: {named}[ and {others} others]",
            ),
            "ru": Words(
                "Расписание {schedule} опаздывает",
                "Ждут запуска ({count}): {named}[ и ещё {others}]",
            ),
        },
        {"schedule": text, "count": number, "named": text, "others": number},
        {"schedule": "nightly", "count": 5, "named": "nightly, hourly, daily", "others": 2},
    ),
    Saying(
        "schedule_quarantined",
        {
            "en": Words("Schedule {schedule} is quarantined", "[{reason}]"),
            "ru": Words("Расписание {schedule} отложено: его нельзя запустить", "[{reason}]"),
        },
        {"schedule": text, "reason": text},
        {"schedule": "nightly", "reason": "no such kind"},
    ),
    Saying(
        "partitions.missing",
        {
            "en": Words("{table}: {days} of today and the next days are not made", _PARTS_EN),
            "ru": Words("{table}: с сегодняшнего не создано дней: {days}", _PARTS_RU),
        },
        {
            "table": text,
            "days": number,
        },
        {"table": "job_attempt", "days": 2},
    ),
    Saying(
        "partitions.rest",
        {
            "en": Words("{table}: {rows} outside of all days", _PARTS_EN),
            "ru": Words("{table}: вне всех дней лежит {rows}", _PARTS_RU),
        },
        {
            "table": text,
            "rows": counted(en=("row", "rows"), ru=("строка", "строки", "строк")),
        },
        {"table": "job_attempt", "rows": 12},
    ),
    Saying(
        "partitions.rest_many",
        {
            "en": Words("{table}: {rows} or more rows outside of all days", _PARTS_EN),
            "ru": Words("{table}: вне всех дней лежит не меньше {rows} строк", _PARTS_RU),
        },
        {"table": text, "rows": number},
        {"table": "job_attempt", "rows": 10_000},
    ),
    Saying(
        "partitions.not_in_days",
        {
            "en": Words("{table}: not in days yet: run migrate", _PARTS_EN),
            "ru": Words("{table}: ещё не разбита на дни, запустите migrate", _PARTS_RU),
        },
        {"table": text},
        {"table": "job_attempt"},
    ),
)
