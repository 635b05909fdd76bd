"""Our own messages: each in each language, with any values, is a message that Telegram takes."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.telegram.kinds import Kind, Message
from notifications.telegram.markup import plain, validate, visible_length
from notifications.telegram.templates import (
    DIRECTORY,
    LANGUAGES,
    MessageUnknown,
    ValuesInvalid,
    preview,
    registry,
    render,
)

pytestmark = pytest.mark.unit
INCLUDED = re.compile(r'{% include "parts/([^"]+)" %}\n')
calm = settings(deadline=None, derandomize=True, database=None)  # the same on every machine

every_message = pytest.mark.parametrize("name", list(registry))
every_language = pytest.mark.parametrize("language", LANGUAGES)

# What the source documents ask for (T5), so that none is lost by accident.
REQUIRED = {
    "subscription_expiring_7d",
    "subscription_expiring_3d",
    "subscription_expiring_24h",
    "subscription_expiring_6h",
    "subscription_expired",
    "subscription_deactivated",
    "payment_received",
    "payment_failed",
    "invoice_renewal",
    "traffic_reset",
    "broadcast",
    "alert_opened",
    "alert_resolved",
    "report_daily",
    "report_weekly",
    "job_failed",
    "bulk_finished",
}


def values(message: Message) -> st.SearchStrategy[dict[str, Any]]:
    """Any values that the fields of a message may have."""
    return st.fixed_dictionaries({name: any_of(kind) for name, kind in message.fields.items()})


def any_of(kind: Kind) -> st.SearchStrategy[Any]:
    texts = st.text(max_size=30) | st.sampled_from(["<b>", "a & b", "</b>", "x" * 5000, "é\ud83d"])
    numbers = st.integers(-(10**12), 10**12) | st.decimals(-(10**9), 10**9, places=3)
    amounts = st.tuples(st.decimals(0, 10**9, places=8), st.sampled_from(["USDT", "TON", "<"]))
    moments = st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
    )
    bodies = st.sampled_from(["<b>x</b>", "x\n\n\n\ny", "&amp;", "word " * 2000])
    strategies: dict[str, st.SearchStrategy[Any]] = {
        "line": texts,
        "prose": texts,
        "markup": bodies,
        "url": st.sampled_from(["https://x.example/?a=1&b='\"", "tg://user?id=1"]),
        "number": numbers,
        "money": amounts,
        "percent": st.decimals(0, 100, places=4),
        "change": st.decimals(-1000, 1000, places=4),
        "day": st.dates(),
        "moment": moments,
        "span": st.timedeltas(timedelta(0), timedelta(days=9999)),
        "size": st.integers(0, 2**60),
        "chart": st.lists(st.tuples(texts, numbers), max_size=8),
    }
    if kind.name == "choice":
        strategy: st.SearchStrategy[Any] = st.sampled_from(
            kind.takes.removeprefix("one of ").split(", ")
        )
    elif kind.name == "rows":
        columns = re.findall(r"(\w+): (\w+)", kind.takes)
        row = st.fixed_dictionaries({name: strategies[column] for name, column in columns})
        strategy = st.lists(row, max_size=5)
    else:
        strategy = strategies[kind.name]
    return st.none() | strategy if kind.is_optional else strategy


def test_every_message_that_is_asked_for_is_there() -> None:
    assert set(registry) >= REQUIRED


def test_every_message_has_a_file_in_every_language_and_no_file_is_left_over() -> None:
    wanted = {f"{name}.{language}.html" for name in registry for language in LANGUAGES}
    assert {path.name for path in DIRECTORY.iterdir() if path.is_file()} == wanted


@every_language
def test_every_part_is_included_somewhere(language: str) -> None:
    there = {path.name for path in (DIRECTORY / "parts").glob(f"*.{language}.html")}
    sources = [path.read_text() for path in DIRECTORY.glob(f"*.{language}.html")]
    assert {name for source in sources for name in INCLUDED.findall(source)} == there
    assert there


def whole(name: str, language: str) -> str:
    """The source of a template, parts and all."""

    def part(found: re.Match[str]) -> str:
        return (DIRECTORY / "parts" / found[1]).read_text()

    return INCLUDED.sub(part, (DIRECTORY / f"{name}.{language}.html").read_text())


@every_message
@every_language
def test_a_template_uses_every_field_and_nothing_else(name: str, language: str) -> None:
    source = whole(name, language)
    loops = dict(re.findall(r"{% for (\w+) in (\w+) %}", source))
    used = set(re.findall(r"{{ (\w+)", source)) | set(re.findall(r"{% (?:el)?if (\w+)", source))
    used = (used - set(loops) - {"not"}) | set(loops.values())
    assert used == set(registry[name].fields)


@every_message
@every_language
def test_the_sample_makes_a_complete_message(name: str, language: str) -> None:
    assert set(registry[name].sample) == set(registry[name].fields)
    text = preview(name, language)
    validate(text)
    assert visible_length(text) <= 4096
    assert not re.search(r"None|{{|{%|Decimal|datetime", text)
    assert "\n\n\n" not in text


@every_message
@every_language
def test_a_message_without_its_optional_values_is_complete(name: str, language: str) -> None:
    fields = registry[name].fields
    needed = {key: registry[name].sample[key] for key in fields if not fields[key].is_optional}
    text = render(name, language, **needed)
    validate(text)
    assert "None" not in text
    assert 'href=""' not in text


@every_message
@settings(calm, max_examples=25)
@given(data=st.data())
def test_any_values_make_a_message_that_telegram_takes(name: str, data: st.DataObject) -> None:
    language = data.draw(st.sampled_from(LANGUAGES))
    text = render(name, language, **data.draw(values(registry[name])))
    validate(text)
    assert visible_length(text) <= 4096


def test_the_russian_and_the_english_message_differ() -> None:
    for name in set(registry) - {"broadcast"}:
        assert preview(name, "en") != preview(name, "ru")
        assert re.search("[а-яё]", preview(name, "ru"))


def test_an_inserted_value_is_escaped() -> None:
    text = render("alert_opened", "en", severity="info", title="<b>&'", opened_at=moment())
    assert "&lt;b&gt;&amp;&#x27;" in text
    assert "INFO: <b>&'" in plain(text)


def test_a_broadcast_keeps_its_markup_and_must_be_valid() -> None:
    assert (
        render("broadcast", "en", title="A & B", body="<i>x</i>") == "<b>A &amp; B</b>\n\n<i>x</i>"
    )
    with pytest.raises(ValuesInvalid, match="never closed"):
        render("broadcast", "en", body="<i>x")


@pytest.mark.parametrize(
    ("language", "note"), [("en", "The message was shortened."), ("ru", "Сообщение сокращено.")]
)
def test_a_message_that_is_too_long_is_cut_at_a_line_and_says_so(language: str, note: str) -> None:
    errors = [{"name": f"user-{number}", "reason": "x" * 50} for number in range(500)]
    text = render(
        "bulk_finished", language, **{**registry["bulk_finished"].sample, "errors": errors}
    )
    validate(text)
    assert 3900 < visible_length(text) <= 4096
    body, _, end = plain(text).rpartition("\n\n")
    assert note in end
    assert body.endswith("x" * 50)


def test_what_matters_is_not_pushed_out_by_a_long_value() -> None:
    text = render(
        "subscription_expiring_6h",
        "en",
        plan="x" * 100_000,
        expires_at=moment(),
        renew_url="https://a.example/",
    )
    assert "https://a.example/" in text


# Wrong calls


def test_an_unknown_message_or_language_is_refused() -> None:
    with pytest.raises(MessageUnknown, match="'nothing'"):
        render("nothing", "en")
    with pytest.raises(MessageUnknown, match="'de'"):
        preview("broadcast", "de")
    with pytest.raises(MessageUnknown):
        preview("../base", "en")


def test_a_missing_value_is_named() -> None:
    with pytest.raises(
        ValuesInvalid, match=r"broadcast\.body is missing; it takes a text in Telegram"
    ):
        render("broadcast", "en", title="x")


def test_a_value_that_no_field_takes_is_named() -> None:
    with pytest.raises(ValuesInvalid, match="broadcast takes no footer"):
        render("broadcast", "en", body="x", footer="y")


@pytest.mark.parametrize(
    ("name", "field", "value", "sentence"),
    [
        ("payment_received", "amount", (5.0, "USDT"), "decimal amount"),
        ("payment_received", "amount", Decimal(5), "amount"),
        ("payment_received", "amount", (Decimal("NaN"), "USDT"), "decimal amount"),
        ("payment_received", "expires_at", datetime(2026, 1, 1), "time zone"),  # noqa: DTZ001
        ("payment_received", "expires_at", "tomorrow", "time zone"),
        ("invoice_renewal", "pay_url", "javascript:alert(1)", "https://"),
        ("invoice_renewal", "pay_url", "https://a b", "https://"),
        ("alert_opened", "severity", "fatal", "critical, warning, info"),
        ("bulk_finished", "total", "many", "number"),
        ("bulk_finished", "total", True, "number"),
        ("bulk_finished", "lasted", 5, "span"),
        ("bulk_finished", "errors", [{"name": "x"}], "a row has no reason"),
        ("traffic_reset", "reset_on", "1.1.", "date"),
        ("traffic_reset", "limit", "much", "bytes"),
        ("report_daily", "uptime", "all", "percent"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    name: str, field: str, value: Any, sentence: str
) -> None:
    with pytest.raises(ValuesInvalid) as caught:
        render(name, "en", **{**registry[name].sample, field: value})
    assert str(caught.value).startswith(f"{name}.{field} takes ")
    assert sentence in str(caught.value)


# How values are written


def moment() -> datetime:
    return datetime(2026, 3, 1, 9, 5, tzinfo=UTC)


def shown(language: str, **changes: Any) -> str:
    return plain(render("payment_received", language, **{**sample(), **changes}))


def sample() -> dict[str, Any]:
    return dict(registry["payment_received"].sample)


@pytest.mark.parametrize(
    ("amount", "english", "russian"),
    [
        ("5", "5.00 USDT", "5,00 USDT"),
        ("1234567.5", "1,234,567.50 USDT", "1 234 567,50 USDT"),
        ("0.00012345", "0.00012345 USDT", "0,00012345 USDT"),
        ("1E+3", "1,000.00 USDT", "1 000,00 USDT"),
        ("0", "0.00 USDT", "0,00 USDT"),
    ],
)
def test_money_is_never_rounded(amount: str, english: str, russian: str) -> None:
    for language, expected in (("en", english), ("ru", russian)):
        text = shown(language, amount=(Decimal(amount), "USDT")).replace("\u00a0", " ")
        assert f": {expected}\n" in text


def test_a_moment_is_shown_in_its_own_zone_and_names_it() -> None:
    east = moment().astimezone(timezone(timedelta(hours=3)))
    west = moment().astimezone(timezone(-timedelta(hours=9, minutes=30)))
    texts = [
        shown("en", expires_at=value).replace("\u00a0", " ") for value in (moment(), east, west)
    ]
    assert "1 March 2026, 09:05 UTC." in texts[0]
    assert "1 March 2026, 12:05 UTC+03:00." in texts[1]
    assert "28 February 2026, 23:35 UTC-09:30." in texts[2]


def test_months_are_written_in_russian() -> None:
    names = [shown("ru", expires_at=datetime(2026, month, 2, tzinfo=UTC)) for month in range(1, 13)]
    assert ["янв" in names[0], "мая" in names[4], "дек" in names[11]] == [True] * 3


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=65), "1 h 5 min"),
        (timedelta(days=2, seconds=5), "2 d 5 s"),
        (timedelta(days=1, hours=1, minutes=1), "1 d 1 h"),
    ],
)
def test_a_span_has_two_units_at_most(span: timedelta, expected: str) -> None:
    values = {**registry["alert_resolved"].sample, "lasted": span}
    text = plain(render("alert_resolved", "en", **values)).replace("\u00a0", " ")
    assert f"Lasted: {expected}\n" in text


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1536, "1.5 KB"),
        (100 * 1024**3, "100 GB"),
        (2**80, "1,073,741,824 PB"),
    ],
)
def test_a_size_is_written_in_its_unit(size: int, expected: str) -> None:
    text = plain(render("traffic_reset", "en", reset_on=date(2026, 1, 1), limit=size))
    assert f": {expected}" in text.replace("\u00a0", " ")


def test_a_chart_is_aligned_and_its_longest_bar_is_the_most() -> None:
    values = {**registry["report_weekly"].sample, "users_chart": [("Mon", 3), ("Wednesday", 12)]}
    text = render("report_weekly", "en", **values)
    assert f"<pre>Mon       ▇▇▇          3\nWednesday {'▇' * 12} 12</pre>" in text


def test_a_change_shows_its_direction() -> None:
    text = plain(preview("report_weekly", "en"))
    assert "New: 42 (▲ +2.4%)" in text
    assert "TON (▼ −3.1%)" in text
    assert "(= 0%)" in text
