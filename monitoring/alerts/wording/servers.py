"""What alerts say about the servers of the panel, and about its token."""

from datetime import UTC, datetime, timedelta

from monitoring.alerts.wording.kinds import counted, decimal, moment, number, second, span, text
from monitoring.alerts.wording.saying import Saying, Words

_NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_MEGABIT_S = decimal(1, unit=125_000)  # of bytes per second
_SINCE = {"name": text, "since": second, "lasted": span, "panel": text}
_SINCE_SAMPLE = {
    "name": "fra-1",
    "since": _NOON,
    "lasted": timedelta(minutes=6),
    "panel": "connection refused",
}
_SINCE_EN = "Since {since} ({lasted}).[\nThe panel says: {panel}]"
_SINCE_RU = "С {since} ({lasted}).[\nПанель сообщает: {panel}]"
_PEOPLE = counted(en=("person is", "people are"), ru=("человек", "человека", "человек"))

SERVERS = (
    Saying(
        "node_offline",
        {
            "en": Words("Server {name} is offline", _SINCE_EN),
            "ru": Words("Сервер {name} недоступен", _SINCE_RU),
        },
        _SINCE,
        _SINCE_SAMPLE,
    ),
    Saying(
        "node_offline.connecting",
        {
            "en": Words("Server {name} does not get connected", _SINCE_EN),
            "ru": Words("Сервер {name} не может подключиться", _SINCE_RU),
        },
        _SINCE,
        _SINCE_SAMPLE,
    ),
    Saying(
        "node_offline.long",
        {
            "en": Words("Server {name} is offline for {lasted}", "[{panel}]"),
            "ru": Words("Сервер {name} недоступен уже {lasted}", "[Панель сообщает: {panel}]"),
        },
        {"name": text, "lasted": span, "panel": text},
        {"name": "fra-1", "lasted": timedelta(minutes=31), "panel": "connection refused"},
    ),
    Saying(
        "node_flapping",
        {
            "en": Words(
                "Server {name} comes and goes",
                "Lost {times} within {within}. Nothing more is told of it until it has stood still "
                "for {calm}.",
            ),
            "ru": Words(
                "Сервер {name} то пропадает, то появляется",
                "Терялся {times} за {within}. О нём больше не сообщим, пока он не продержится {calm}.",
            ),
        },
        {
            "name": text,
            "times": counted(en=("time", "times"), ru=("раз", "раза", "раз")),
            "within": span,
            "calm": span,
        },
        {
            "name": "fra-1",
            "times": 4,
            "within": timedelta(minutes=15),
            "calm": timedelta(minutes=10),
        },
    ),
    Saying(
        "node_silent.flat",
        {
            "en": Words(
                "Server {name} moves no traffic",
                "{people} online, and its counter has not moved for {looks} samples.",
            ),
            "ru": Words(
                "Через сервер {name} не идёт трафик",
                "В сети {people}, а счётчик не менялся, замеров подряд: {looks}.",
            ),
        },
        {"name": text, "people": _PEOPLE, "looks": number},
        {"name": "fra-1", "people": 120, "looks": 3},
    ),
    Saying(
        "node_silent.few",
        {
            "en": Words(
                "Server {name} has far fewer people than usual",
                "{online} online; {usual} are usual at this hour of the week. It says that it is "
                "online.",
            ),
            "ru": Words(
                "На сервере {name} намного меньше людей, чем обычно",
                "Сейчас в сети: {online}, обычно в этот час недели: {usual}. Сам сервер отвечает, "
                "что работает.",
            ),
        },
        {"name": text, "online": number, "usual": decimal(0)},
        {"name": "fra-1", "online": 3, "usual": 118.5},
    ),
    Saying(
        "node_silent.slow",
        {
            "en": Words(
                "Server {name} moves far less traffic than usual",
                "{rate} Mbit/s; {usual} Mbit/s are usual at this hour of the week, with {online} "
                "people online.",
            ),
            "ru": Words(
                "Через сервер {name} идёт намного меньше трафика, чем обычно",
                "Сейчас {rate} Мбит/с, обычно в этот час недели {usual} Мбит/с; в сети: {online}.",
            ),
        },
        {"name": text, "rate": _MEGABIT_S, "usual": _MEGABIT_S, "online": number},
        {"name": "fra-1", "rate": 150_000.0, "usual": 12_500_000.0, "online": 120},
    ),
    Saying(
        "panel_token",
        {
            "en": Words(
                "The token of the panel ends soon",
                "it ends at {ends}. Make a new one in the panel, and set REMNAWAVE_API_TOKEN.",
            ),
            "ru": Words(
                "Токен панели скоро закончится",
                "Он действует до {ends}. Создайте новый в панели и задайте REMNAWAVE_API_TOKEN.",
            ),
        },
        {"ends": moment},
        {"ends": _NOON},
    ),
    Saying(
        "panel_token.ended",
        {
            "en": Words(
                "The token of the panel has ended",
                "it ends at {ends}. Make a new one in the panel, and set REMNAWAVE_API_TOKEN.",
            ),
            "ru": Words(
                "Токен панели закончился",
                "Он действовал до {ends}. Создайте новый в панели и задайте REMNAWAVE_API_TOKEN.",
            ),
        },
        {"ends": moment},
        {"ends": _NOON},
    ),
)
