"""What alerts say: every rule in every language of our messages, and nothing untold for want of words."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.alerts import attention
from monitoring.alerts.models import Alert
from monitoring.alerts.outside import Foreign, alerts_receive
from monitoring.alerts.services import alert_raise
from monitoring.alerts.wording.catalogue import CATALOGUE, says
from monitoring.alerts.wording.foreign import GROUPS
from monitoring.alerts.wording.kinds import counted
from monitoring.alerts.wording.money import GAPS
from monitoring.alerts.wording.saying import Saying, Says
from monitoring.alerts.wording.services import MEANWHILE, TITLES
from monitoring.alerts.words import alert_words
from monitoring.checks.known import SERVICES
from monitoring.checks.rules.all import RULES
from notifications.telegram.templates import LANGUAGES
from subscriptions.access.gaps import GapKind
from tests.monitoring.alerts.rows import fresh, said, tell_run

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("jobs", "monitoring", "notifications", "payments", "reports", "subscriptions")
CYRILLIC = set("абвгдежзийклмнопрстуфхцчшщъыьэюя")
EVERY = pytest.mark.parametrize("saying", CATALOGUE.values(), ids=lambda saying: saying.name)


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function of that name in what we ship."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def sample(saying: Saying, **changes: Any) -> Says:
    return Says(saying, saying.keep({**saying.sample, **changes}))


def russian(settings: Settings) -> None:
    settings.TELEGRAM_LANGUAGE = "ru"


@EVERY
def test_every_saying_is_written_in_every_language(saying: Saying) -> None:
    assert set(saying.words) == set(LANGUAGES)
    assert set(saying.sample) == set(saying.fields)
    for language in LANGUAGES:
        words = sample(saying).words(language)
        assert words.title
        assert not set("{}[]") & set("".join(words))
        assert saying.places(language) <= set(saying.fields)


@EVERY
def test_russian_says_all_that_english_says_in_russian(saying: Saying) -> None:
    assert saying.places("en") <= saying.places("ru")
    assert CYRILLIC & set(sample(saying).words("ru").title.lower()), "the title is in Russian"
    assert not CYRILLIC & set("".join(sample(saying).words("en")).lower())


@EVERY
def test_what_is_not_known_is_left_out(saying: Saying) -> None:
    english = saying.words["en"]
    needed = {name for part in english for name in saying.places("en") if f"[{name}]" in part}
    for name in saying.fields:
        if name in needed:
            continue
        try:
            words = [sample(saying, **{name: None}).words(language) for language in LANGUAGES]
        except KeyError:
            continue  # it must be known
        assert all(each.title for each in words)


def test_every_rule_of_the_platform_has_its_words() -> None:
    rules = {rule.name for rule in RULES}
    rules |= {"node_flapping", "node_silent", "partitions"}
    rules |= {"service_down", "uplink_down", "breaker_open", "schedule_quarantined"}
    rules |= {"external", "attention"}
    assert rules <= {name.partition(".")[0] for name in CATALOGUE}


def test_nobody_raises_an_alert_whose_words_are_not_in_the_catalogue() -> None:
    raising = list(calls("alert_raise"))
    assert raising
    for where, call in raising:
        assert "says" in {keyword.arg for keyword in call.keywords}, where


def test_the_catalogue_has_what_is_said_and_nothing_else() -> None:
    named = {
        node.value
        for room in ("monitoring", "reports")
        for path in (ROOT / room).rglob("*.py")
        if "wording" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    ours = {name for name in CATALOGUE if not name.startswith(("attention", "external"))}
    assert ours <= named


def test_every_group_that_is_announced_has_words_of_its_own() -> None:
    announced = 0
    for where, call in calls("attention"):
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "group" not in given:
            continue  # the decorator of the same name
        announced += 1
        group = given["group"]
        first = group.values[0] if isinstance(group, ast.JoinedStr) else group
        beginning = getattr(first, "value", None)
        assert isinstance(beginning, str), where
        assert beginning.startswith(tuple(GROUPS)), f"{where}: {beginning}"
    assert announced > 20


def test_services_and_gaps_have_words_by_their_names() -> None:
    for language in LANGUAGES:
        assert set(TITLES[language]) == {service.name for service in SERVICES}
        assert set(MEANWHILE[language]) == {service.name for service in SERVICES}
    assert set(GAPS) == {str(kind) for kind in GapKind}


@pytest.mark.parametrize(
    ("count", "english", "written"),
    [
        (1, "1 day", "1 день"), (2, "2 days", "2 дня"), (5, "5 days", "5 дней"),
        (11, "11 days", "11 дней"), (21, "21 days", "21 день"), (114, "114 days", "114 дней"),
        (0, "0 days", "0 дней"), (1022, "1,022 days", "1\u00a0022 дня"),
    ],
)  # fmt: skip
def test_counts_agree_with_their_words(count: int, english: str, written: str) -> None:
    kind = counted(en=("day", "days"), ru=("день", "дня", "дней"))
    assert (kind.write(count, "en"), kind.write(count, "ru")) == (english, written)


def test_admins_read_their_language_and_the_console_english(settings: Settings) -> None:
    russian(settings)
    alert = alert_raise(
        rule="queue_depth",
        key="default",
        severity="critical",
        says=sample(CATALOGUE["queue_depth"]),
    )
    (text,) = tell_run()
    assert "🔴 АВАРИЯ: В очереди default ждут: больше 10 000" in said(text)
    assert "Самое старое ждёт 12 мин." in said(text)
    assert alert.title == "more than 10,000 due jobs wait in the queue default"
    assert "The oldest waits for 12 min. It was paused by olga: maintenance." in alert.text


def test_what_somebody_else_says_stays_as_it_came(settings: Settings) -> None:
    russian(settings)
    attention(group="cryptobot.balance", title="Crypto Pay is low", text="7.5 USDT left")
    found = Foreign(True, "5b2a", {"alertname": "Odd"}, {"summary": "The [disk] {is} full"})
    alerts_receive([found], by=None)
    first, second = (said(text) for text in tell_run())
    assert "Crypto Pay: нужен человек (balance)\n\nCrypto Pay is low\n7.5 USDT left" in first
    assert "Сигнал Prometheus: The [disk] {is} full\n\nalertname: Odd" in second
    titles = Alert.objects.order_by("pk").values_list("title", flat=True)
    assert list(titles) == ["Crypto Pay is low", "The [disk] {is} full"]


@pytest.mark.parametrize(
    "stored",
    [
        {"name": "no_such_rule", "values": {}},
        {"name": "node_flapping", "values": {}},
        {"name": "node_flapping", "values": {"name": "a", "times": "b", "within": 1, "calm": 1}},
        {"values": {}},
        {},
    ],
    ids=["unknown", "value missing", "other value", "no name", "written before"],
)
def test_what_cannot_be_said_in_a_language_is_told_in_english(
    settings: Settings, stored: dict[str, Any]
) -> None:
    russian(settings)
    alert = alert_raise(rule="x", key="y", severity="critical", title="Still told", text="in full")
    Alert.objects.update(says=stored)
    assert alert_words(fresh(alert), "ru") == ("Still told", "in full")
    (text,) = tell_run()
    assert "АВАРИЯ: Still told" in said(text)


def test_a_summary_names_its_alerts_in_the_language_of_who_reads(settings: Settings) -> None:
    russian(settings)
    for number in range(5):
        flapping = CATALOGUE["node_flapping"]
        alert_raise(
            rule="node_flapping",
            key=str(number),
            severity="warning",
            says=sample(flapping, name=f"fra-{number}"),
        )
    (text,) = tell_run()
    assert "Сервер fra-3 то пропадает, то появляется" in said(text)


def test_a_value_that_the_words_do_not_know_is_refused() -> None:
    with pytest.raises(LookupError):
        says("node_flapping", name="a")
    with pytest.raises(LookupError):
        says("no_such_rule")
    with pytest.raises(ValueError, match="no text in every language"):
        sample(CATALOGUE["service_down"], service="fax")
