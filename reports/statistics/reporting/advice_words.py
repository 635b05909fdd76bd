"""Recommendations in words: what the figures say, and what a person may do about it.

A sentence is filled from the facts of an Advice; the word after the colon says how a fact is written in
the language: number, percent, money (with the fact `currency`), size, span.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from notifications.telegram.words import WORDS as SPELLINGS
from notifications.telegram.words import Words

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "service_away": "{name} did not answer (times: {times:number}): see its outages on the page of the "
        "services, and whether payments or access waited.",
        "node_unsteady": "{name} went down {times:number} times ({down_s:span} in all): ask its provider, "
        "or take it out until it is steady.",
        "node_uptime": "{name} was up {uptime:percent} of the time, below {least:percent}: look at when "
        "it was down.",
        "more_left": "More people left ({lost:number}) than came ({new:number}): look whether reminders "
        "reached them, and at what they had paid.",
        "earned_less": "Revenue fell by {change:percent}, from {before:money} to {amount:money}; the plan "
        "{plan} fell most. Look at its price and at invoices that were not paid.",
        "unpaid": "{share:percent} of the invoices were not paid in time (before: {before:percent}): try "
        "to pay one, and look at how long they are open.",
        "refunds": "{count:number} payments were refunded, {share:percent} of all: look at the reasons.",
        "one_server": "{name} carries {share:percent} of the traffic: if it fails, most people feel it. "
        "Spread them, or add a server.",
        "more_traffic": "Traffic grew by {change:percent} to {bytes:size}: look whether the servers have "
        "room for as much again.",
        "limited": "{count:number} people are out of traffic, {share:percent} of those served: a larger "
        "plan may be missing.",
        "messages": "{count:number} Telegram messages failed, {share:percent} of all: look at the reasons; "
        "who has blocked the bot is not reminded.",
        "one_error": "One error is {share:percent} of all ({count:number} times): {text}",
        "slow_panel": "The panel took {ms:number} ms to answer on average: look at its server.",
    },
    "ru": {
        "service_away": "{name}: нет ответа, раз: {times:number}. Посмотрите сбои на странице сервисов и "
        "не ждали ли платежи или доступ.",
        "node_unsteady": "{name}: падений {times:number} (всего {down_s:span}). Спросите провайдера или "
        "выведите сервер, пока он нестабилен.",
        "node_uptime": "{name}: доступность {uptime:percent}, ниже {least:percent}. Посмотрите, когда он "
        "не работал.",
        "more_left": "Ушло больше ({lost:number}), чем пришло ({new:number}): проверьте, дошли ли "
        "напоминания и за что эти люди платили.",
        "earned_less": "Доход упал на {change:percent}: с {before:money} до {amount:money}. Сильнее всего "
        "упал тариф «{plan}»: проверьте его цену и неоплаченные счета.",
        "unpaid": "{share:percent} счетов не оплачено вовремя (раньше {before:percent}): попробуйте "
        "оплатить сами и проверьте срок действия счёта.",
        "refunds": "Возвратов: {count:number}, это {share:percent} платежей. Посмотрите причины.",
        "one_server": "{name} несёт {share:percent} трафика: его сбой заметит большинство. Распределите "
        "людей или добавьте сервер.",
        "more_traffic": "Трафик вырос на {change:percent}, до {bytes:size}: проверьте запас серверов.",
        "limited": "Без трафика {count:number} человек, {share:percent} обслуживаемых: возможно, не "
        "хватает тарифа побольше.",
        "messages": "Не доставлено сообщений Telegram: {count:number}, {share:percent}. Посмотрите "
        "причины: кто заблокировал бота, тот не получит напоминаний.",
        "one_error": "Одна ошибка даёт {share:percent} всех ({count:number}): {text}",
        "slow_panel": "Панель отвечала в среднем за {ms:number} мс: проверьте её сервер.",
    },
}


# The services of monitoring/checks/known.py, as a sentence begins with them.
SERVICES: dict[str, dict[str, str]] = {
    "en": {
        "remnawave": "The panel",
        "uplink": "Our uplink",
        "postgres": "PostgreSQL",
        "redis": "Redis",
        "telegram": "Telegram",
        "cryptobot": "Crypto Pay",
    },
    "ru": {
        "remnawave": "Панель",
        "uplink": "Наш канал связи",
        "postgres": "PostgreSQL",
        "redis": "Redis",
        "telegram": "Telegram",
        "cryptobot": "Crypto Pay",
    },
}


def service_say(name: str, language: str) -> str:
    """A service as people call it; one of a later version by its name."""
    return SERVICES[language].get(name, name)


def advice_say(code: str, facts: Mapping[str, Any], language: str) -> str:
    """A recommendation as a sentence. One of a later version is shown as its code."""
    sentence = WORDS[language].get(code)
    if sentence is None:
        return code.replace("_", " ")
    spelling = SPELLINGS[language]
    if code == "service_away":
        facts = {**facts, "name": service_say(facts["name"], language)}
    said = {
        name: _Fact(value, spelling, facts.get("currency", "")) for name, value in facts.items()
    }
    return sentence.format_map(said)


class _Fact:
    """A fact that knows how to be written in a language."""

    def __init__(self, value: Any, words: Words, currency: str) -> None:
        self._value, self._words, self._currency = value, words, currency

    def __format__(self, how: str) -> str:
        value, words = self._value, self._words
        match how:
            case "number":
                return words.number(value)
            case "percent":
                return words.share(Decimal(value))
            case "money":
                return words.money(Decimal(value), self._currency)
            case "size":
                return words.size(int(value))
            case "span":
                return words.span(timedelta(seconds=value))
        return str(value)
