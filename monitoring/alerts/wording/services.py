"""What alerts say about services that do not answer, and about the breakers in front of them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from monitoring.alerts.wording.kinds import counted, moment, named, one_of, text
from monitoring.alerts.wording.saying import Saying, Words

# By the name that rows, breakers and alerts know a service by.
TITLES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "uplink": "Our uplink",
        "postgres": "PostgreSQL",
        "redis": "Redis",
        "remnawave": "The panel",
        "telegram": "Telegram",
        "cryptobot": "Crypto Pay",
    },
    "ru": {
        "uplink": "Наш выход в сеть",
        "postgres": "PostgreSQL",
        "redis": "Redis",
        "remnawave": "Панель",
        "telegram": "Telegram",
        "cryptobot": "Crypto Pay",
    },
}
MEANWHILE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "uplink": "Nothing outside can be reached; alerts of what is outside are hidden behind this "
        "one.",
        "postgres": "New connections fail; whoever has one goes on.",
        "redis": "Caches miss and screens are told later; jobs and messages go on.",
        "remnawave": "Nobody is activated, synced or disabled; what was paid waits and is served "
        "later.",
        "telegram": "Messages wait in the queue, unspent.",
        "cryptobot": "No invoices are made; what is paid is noticed later.",
    },
    "ru": {
        "uplink": "Снаружи ничего не доступно; сигналы о том, что снаружи, скрыты за этим.",
        "postgres": "Новые соединения не открываются; открытые работают.",
        "redis": "Кэши пусты, экраны обновляются позже; задания и сообщения идут.",
        "remnawave": "Никого не включить, не обновить и не отключить; оплаченное ждёт и будет выдано "
        "позже.",
        "telegram": "Сообщения ждут в очереди, попытки не тратятся.",
        "cryptobot": "Счета не создаются; об оплатах узнаем позже.",
    },
}
_FIELDS = {
    "service": one_of(**TITLES),
    "looks": counted(
        en=("look failed", "looks in a row failed"),
        ru=("неудачная проверка подряд", "неудачные проверки подряд", "неудачных проверок подряд"),
    ),
    "since": moment,
    "error": text,
    "meanwhile": one_of(**MEANWHILE),
}
_SAMPLE = {
    "service": "cryptobot",
    "looks": 3,
    "since": datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    "error": "connection refused",
    "meanwhile": "cryptobot",
}
_EN = "{looks}; the last good one was at {since}.[ {error}]\n{meanwhile}"
_RU = "{looks}; последняя удачная: {since}.[ {error}]\n{meanwhile}"

SERVICES = (
    Saying(
        "service_down",
        {
            "en": Words("{service} does not answer", _EN),
            "ru": Words("{service} не отвечает", _RU),
        },
        _FIELDS,
        _SAMPLE,
    ),
    Saying(
        "service_down.refused",
        {
            "en": Words("{service} refuses our token", _EN),
            "ru": Words("{service} не принимает наш токен", _RU),
        },
        _FIELDS,
        _SAMPLE,
    ),
    Saying(
        "uplink_down",
        {
            "en": Words("{service} does not work", _EN),
            "ru": Words("{service} не работает", _RU),
        },
        _FIELDS,
        _SAMPLE,
    ),
    Saying(
        "breaker_open",
        {
            "en": Words("{name} does not answer", "[{reason}]"),
            "ru": Words("{name} не отвечает", "[{reason}]"),
        },
        {"name": named(**TITLES), "reason": text},
        {"name": "cryptobot", "reason": "HTTP 502"},
    ),
)
