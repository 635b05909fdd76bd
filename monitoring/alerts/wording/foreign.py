"""Frames for what others say: their words stay as they came, and what they are about is said by us."""

from monitoring.alerts.wording.kinds import text
from monitoring.alerts.wording.saying import Saying, Says, Words

_FIELDS = {"title": text, "text": text}
_SAMPLE = {"title": "An export failed", "text": "the disk is full"}
_AS_IT_CAME = Words("{title}", "[{text}]")

ALERTMANAGER = "external"
ATTENTION = "attention"


def _announced(group: str, russian: str) -> Saying:
    """Who announces says it in English; Russian says by the group what it is about."""
    return Saying(
        f"{ATTENTION}.{group}" if group else ATTENTION,
        {"en": _AS_IT_CAME, "ru": Words(russian, "{title}[\n{text}]")},
        {**_FIELDS, "about": text},
        {**_SAMPLE, "about": "42"},
    )


# By the beginning of the group, as docs/runbook.md lists them; `about` is the rest of it.
GROUPS = {
    "dead:": "Задание {about} не выполнено: попытки кончились",
    "telegram.failed": "Сообщения Telegram не доставлены",
    "telegram.token": "Telegram не принимает токен бота",
    "webhooks.failing:": "Получатель вебхуков не отвечает",
    "webhooks.disabled:": "Получатель вебхуков отключён",
    "broadcasts.audit": "Числа рассылки не сошлись и пересчитаны",
    "broadcast:": "Рассылка остановлена",
    "cryptobot.": "Crypto Pay: нужен человек ({about})",
    "payments.review:": "Деньги: нужно решение человека ({about})",
    "payments.verify_pending": "Платежи не удаётся проверить",
    "payments.invoice_refused": "Crypto Pay не создал счёт",
    "payments.webhook_off": "Похоже, вебхук Crypto Pay выключен",
    "payments.webhooks_failed": "Вебхуки не обработаны: попытки кончились",
    "payments.unreadable:": "Вебхук не удалось прочитать ({about})",
    "payments.unproved:": "Подпись вебхука не подтверждена ({about})",
    "access:": "Оплачено, но доступа нет",
    "access:held": "Отключённый человек оплатил",
    "bulk:": "Массовая операция остановлена",
    "nodes:gone": "Серверы пропали из панели",
    "panel:identity": "Пользователи панели не те, что мы знаем",
    "panel:missing": "В панели не хватает необычно многих",
    "panel:held": "Запись в панель остановлена",
    "panel:token": "Токен панели: нужен новый",
    "sweep:": "Обход ждёт решения человека ({about})",
    "sweep-unsure:": "Обход не знает, что стало с частью людей ({about})",
    "files:": "Каталог не отслеживается",
    "files:watchers": "За каталогами никто не следит",
    "export:": "Выгрузка не удалась",
}

FOREIGN = (
    Saying(
        ALERTMANAGER,
        {"en": _AS_IT_CAME, "ru": Words("Сигнал Prometheus: {title}", "[{text}]")},
        _FIELDS,
        _SAMPLE,
    ),
    _announced("", "Нужен человек: {about}"),
    *(_announced(group, russian) for group, russian in GROUPS.items()),
)
_BY_NAME = {saying.name: saying for saying in FOREIGN}


def alertmanager_says(title: str, body: str) -> Says:
    """An alert of Prometheus."""
    return _says(ALERTMANAGER, title=title, text=body or None)


def attention_says(group: str, title: str, body: str) -> Says:
    """What a room announced (jobs.alerts.attention). The longest known beginning of the group counts."""
    known = max((each for each in GROUPS if group.startswith(each)), key=len, default="")
    return _says(
        f"{ATTENTION}.{known}" if known else ATTENTION,
        title=title,
        text=body or None,
        about=group.removeprefix(known) or group,
    )


def _says(name: str, **values: str | None) -> Says:
    saying = _BY_NAME[name]
    return Says(saying, saying.keep(values))
