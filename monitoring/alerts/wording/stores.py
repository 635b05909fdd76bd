"""What alerts say about Postgres, Redis and the disk."""

from datetime import timedelta

from monitoring.alerts.wording.kinds import (
    GIBIBYTE,
    MEBIBYTE,
    decimal,
    number,
    plain_number,
    span,
    text,
)
from monitoring.alerts.wording.saying import Saying, Words

STORES = (
    Saying(
        "long_transaction",
        {
            "en": Words(
                "A transaction is open for {age}",
                "process {pid}[ ({name})], {state}, for {age}",
            ),
            "ru": Words(
                "Транзакция открыта уже {age}", "Процесс {pid}[ ({name})], {state}, уже {age}"
            ),
        },
        {"age": span, "pid": plain_number, "name": text, "state": text},
        {
            "age": timedelta(minutes=31),
            "pid": 12345,
            "name": "switchboard-worker",
            "state": "idle in transaction",
        },
    ),
    Saying(
        "blocked_sessions",
        {
            "en": Words(
                "A session waits for a lock for {waits}",
                "{count} wait; process {pid} for {waits}, held up by process {blocker}",
            ),
            "ru": Words(
                "Соединение ждёт блокировку уже {waits}",
                "Ждут: {count}; процесс {pid} уже {waits}, его держит процесс {blocker}",
            ),
        },
        {"waits": span, "count": number, "pid": plain_number, "blocker": plain_number},
        {"waits": timedelta(seconds=75), "count": 3, "pid": 12345, "blocker": 12001},
    ),
    Saying(
        "postgres_connections",
        {
            "en": Words(
                "PostgreSQL has {used} of {most} connections in use", "{used} of {most} connections"
            ),
            "ru": Words(
                "У PostgreSQL занято {used} из {most} соединений", "Занято {used} из {most}"
            ),
        },
        {"used": number, "most": number},
        {"used": 92, "most": 100},
    ),
    Saying(
        "redis_memory",
        {
            "en": Words(
                "Redis uses {share} % of its memory", "{used} of {most} MB; {evicted} evicted"
            ),
            "ru": Words(
                "Redis занял {share} % своей памяти", "{used} из {most} МБ; вытеснено: {evicted}"
            ),
        },
        {
            "share": decimal(0),
            "used": decimal(0, MEBIBYTE),
            "most": decimal(0, MEBIBYTE),
            "evicted": number,
        },
        {"share": 91.4, "used": 234 * MEBIBYTE, "most": 256 * MEBIBYTE, "evicted": 12},
    ),
    Saying(
        "disk_space",
        {
            "en": Words("The disk of DATA_DIR has {share} % left", "{free} of {whole} GB are free"),
            "ru": Words("На диске DATA_DIR осталось {share} %", "Свободно {free} из {whole} ГБ"),
        },
        {
            "share": decimal(0),
            "free": decimal(1, GIBIBYTE),
            "whole": decimal(1, GIBIBYTE),
        },
        {"share": 7.2, "free": 7.2 * GIBIBYTE, "whole": 100 * GIBIBYTE},
    ),
)
