"""Telegram HTML: what is valid, how long it looks, and that cutting it loses nothing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.telegram.markup import (
    MarkupInvalid,
    escape,
    plain,
    shorten,
    split,
    validate,
    visible_length,
)

pytestmark = pytest.mark.unit
calm = settings(deadline=None, derandomize=True, database=None)  # the same on every machine

OPENINGS = [
    "<b>",
    "<STRONG>",
    "<i>",
    "<em>",
    "<u>",
    "<ins>",
    "<s>",
    "<strike>",
    "<del>",
    "<code>",
    "<pre>",
    '<code class="language-python">',
    "<blockquote>",
    "<blockquote expandable>",
    "<tg-spoiler>",
    '<span class="tg-spoiler">',
    "<span class='tg-spoiler' >",
    '<a href="https://example.com/?a=1&amp;b=%22">',
    "<a href='tg://user?id=1'>",
    "<a\n\thref = plain-token.1>",
    '<tg-emoji emoji-id="5368324170671202286">',
    '<tg-time unix="1795176000" format="d">',
]


@st.composite
def markup(draw: st.DrawFn, depth: int = 3) -> str:
    """Valid Telegram HTML (perhaps blank), with every tag, entities, blanks and odd characters."""
    letters = st.text("ab \n&;\t\u00a0é👍🏽\u200d🇩🇪e\u0301\U00020000<>\"'", max_size=12)
    pieces = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["text", "text", "entity", "tag"]))
        if kind == "text":
            pieces.append(draw(letters).replace("&", "&amp;").replace("<", "&lt;"))
        elif kind == "entity":
            entities = [
                "&lt;",
                "&gt;",
                "&quot;",
                "&amp",
                "&#128077;",
                "&#x41;",
                "&nbsp;",
                "& ",
                "\n\n",
            ]
            pieces.append(draw(st.sampled_from(entities)))
        elif depth:
            opening = draw(st.sampled_from(OPENINGS))
            name = re.match(r"<([\w-]+)", opening)
            assert name is not None
            ending = draw(st.sampled_from([f"</{name[1]}>", f"</{name[1].upper()} >", "</>"]))
            pieces.append(opening + draw(markup(depth - 1)) + ending)
    return "".join(pieces)


def messages() -> st.SearchStrategy[str]:
    """Valid markup of which something is seen."""
    return markup().map(lambda text: f"<i>{text}</i>x{text}")


# Valid or not


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a < b".replace("<", "&lt;"),
        "AT&T & sons &c; &unknown; &#; &#x;",
        "a > b",
        "<b>bold <i>both</i></b>",
        "<b>closed by the shortest tag</>",
        '<pre><code class="language-python">x</code></pre>',
        "<b></b>x",
        "line\nline",
        *[f"{opening}x</>" for opening in OPENINGS],
    ],
)
def test_what_telegram_takes_is_valid(text: str) -> None:
    validate(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a<br>b", "no tag <br> (at character 2)"),
        ("<p>x</p>", "no tag <p>"),
        ("<ul><li>x</li></ul>", "no tag <ul>"),
        ("<!-- x -->y", "Not a tag at character 1"),
        ("<b>x", "<b> is never closed"),
        ("x</b>", "</b> at character 2 closes nothing"),
        ("<b><i>x</b></i>", "should be </i>"),
        ("<b>x</strong>", "should be </b>"),
        ("a < b", "Not a tag at character 3"),
        ("a <", "Not a tag"),
        ("<b/>x", "Not a tag"),
        ("<b", "Not a tag"),
        ('<a href="x>y</a>', "Not a tag"),
        ("<a href=x y>z</a", "Not a tag"),
        ('<span class="big">x</span>', "tg-spoiler"),
        ("<span>x</span>", "tg-spoiler"),
        ('<tg-emoji emoji-id="x">👍</tg-emoji>', "emoji-id"),
        ("<tg-emoji>👍</tg-emoji>", "emoji-id"),
        ("<tg-time>now</tg-time>", "unix"),
        ("&#xd83d;", "half of a character"),
        ("x\ud83d", "half of a character"),
        ("<b>" * 33 + "x" + "</b>" * 33, "More than 32 tags"),
        ("", "empty"),
        (" \n\t\u00a0\u200b\u2800", "empty"),
        ("<b> </b>&#8203;", "empty"),
    ],
)
def test_what_telegram_refuses_is_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(MarkupInvalid) as caught:
        validate(text)
    assert sentence in str(caught.value)


def test_a_text_without_markup_may_hold_any_sign() -> None:
    validate("a < b && c </b>", None)
    validate("a < b", "")
    with pytest.raises(MarkupInvalid, match="empty"):
        validate("  ", None)


def test_markdown_is_left_to_telegram() -> None:
    validate("*a _b", "MarkdownV2")
    with pytest.raises(MarkupInvalid, match="empty"):
        validate(" ", "Markdown")
    with pytest.raises(MarkupInvalid, match="neither measured nor cut"):
        split("*a*", parse_mode="MarkdownV2")


def test_an_unknown_parse_mode_is_refused() -> None:
    with pytest.raises(MarkupInvalid, match="BBCode"):
        validate("x", "BBCode")


@calm
@given(messages())
def test_generated_markup_is_valid(text: str) -> None:
    validate(text)


@calm
@given(st.text(max_size=60) | st.text("<>/&;ab=\"' #x1-", max_size=60))
def test_any_text_is_either_valid_or_refused_in_a_sentence(text: str) -> None:
    try:
        validate(text)
    except MarkupInvalid as exc:
        sentence = str(exc)
    else:
        sentence = "Valid."
    assert re.fullmatch(r"[A-Z&].*\.", sentence, re.DOTALL)


# What is seen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<b>a</b>&amp;&lt;&gt;&quot;", 'a&<>"'),
        ("&#65;&#x42;&#128077;", "AB👍"),
        ("&ampx;", "&ampx;"),
        ("&amp x &lt5", "& x <5"),
        ("&nbsp;&AMP;&#X41;", "&nbsp;&AMP;&#X41;"),
        ("&#0;&#1114111;&#12345678;", "&#0;&#1114111;&#12345678;"),
        ("AT&T", "AT&T"),
        ("<a href='x'>y</a>", "y"),
    ],
)
def test_entities_are_decoded_as_the_server_does(text: str, seen: str) -> None:
    assert plain(text) == seen
    assert visible_length(text) == len(seen)


def test_the_length_counts_code_points_not_utf16_units() -> None:
    assert visible_length("👍" * 3) == 3
    assert visible_length("👍" * 3, None) == 3


@calm
@given(st.text(min_size=1))
def test_an_escaped_value_shows_as_itself(value: str) -> None:
    shown = plain(f"<b>x{escape(value)}</b>")
    assert shown == "x" + re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", value)


def test_an_escaped_value_can_stand_in_an_attribute() -> None:
    assert escape("\"'<&>\ud83d\x00") == "&quot;&#x27;&lt;&amp;&gt;\ufffd"
    assert escape(7) == "7"
    text = f'<a href="{escape("https://x/?q=1&lt=" + chr(34))}">y</a>'
    assert plain(text) == "y"


# Splitting


@settings(calm, max_examples=400)
@given(messages(), st.integers(1, 40))
def test_every_part_is_valid_and_fits_and_nothing_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)
    for part in parts:
        validate(part)
        assert visible_length(part) <= limit
    seen, joined = plain(text), "".join(map(plain, parts))
    if re.search(rf"[\s\u200d]{{{limit}}}", seen) is None:
        assert seen.startswith(joined)
        assert without_blanks(seen[len(joined) :]) == "", "only blanks at the end may be left out"
    # A run of blanks as long as a message may be left out, since it can be no message by itself.
    assert without_blanks(joined) == without_blanks(seen)


def without_blanks(text: str) -> str:
    return re.sub(r"[\s\u200d]", "", text)


@calm
@given(st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable() and text.strip()))
def test_a_plain_text_is_split_as_it_stands(text: str) -> None:
    parts = split(text, 20, parse_mode=None)
    assert all(len(part) <= 20 for part in parts)
    assert without_blanks("".join(parts)) == without_blanks(text)


@calm
@given(messages())
def test_a_text_that_fits_stays_as_it_is_written(text: str) -> None:
    assert split(text, visible_length(text)) == [text]
    assert shorten(text, visible_length(text)) == text


def test_open_tags_are_closed_at_the_cut_and_opened_again() -> None:
    text = '<b>one <a href="https://x">two three</a></b> four'
    assert split(text, 8) == [
        '<b>one <a href="https://x">two </a></b>',
        '<b><a href="https://x">three</a></b> ',
        "four",
    ]


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("aaaa\n\nbbbb\ncccc dddd", 12, ["aaaa\n\nbbbb\n", "cccc dddd"]),
        ("aaaa bb\n\ncc dd", 10, ["aaaa bb\n\n", "cc dd"]),
        ("aaaa bbbb cccc", 10, ["aaaa bbbb ", "cccc"]),
        ("aaaa bbbb cccc", 9, ["aaaa bbbb", " cccc"]),
        ("aaaaaaaaaa", 4, ["aaaa", "aaaa", "aa"]),
        ("hi https://example.com/x", 21, ["hi ", "https://example.com/x"]),
        ("aaaa\n\n", 4, ["aaaa"]),
        ("     a", 3, ["  a"]),
    ],
    ids=[
        "line",
        "paragraph",
        "word",
        "word at the limit",
        "hard",
        "link",
        "blank end",
        "blank run",
    ],
)
def test_the_cut_is_made_at_the_best_border(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts


@pytest.mark.parametrize(
    "cluster", ["👍🏽", "e\u0301", "👨\u200d👩\u200d👧", "🇩🇪", "1\ufe0f\u20e3"]
)
def test_an_emoji_is_not_torn(cluster: str) -> None:
    parts = split("aaa" + cluster + "bbb", 3 + len(cluster) - 1)
    assert parts[0] == "aaa"


def test_a_part_stays_below_the_size_that_telegram_reads() -> None:
    link = '<a href="https://example.com/{}">x</a>'
    text = "".join(link.format("y" * 500 + str(n)) for n in range(300))  # 300 seen, 160 kB written
    parts = split(text)
    assert len(parts) > 4
    assert all(len(part.encode()) <= 32768 for part in parts)
    assert "".join(map(plain, parts)) == "x" * 300


def test_markup_that_no_message_can_hold_is_refused() -> None:
    with pytest.raises(MarkupInvalid, match="one character alone"):
        split(f'<a href="{"y" * 40000}">x</a>')


def test_a_million_tags_do_not_take_long() -> None:
    with pytest.raises(MarkupInvalid, match="More than 32"):
        validate("<b>" * 1_000_000)


# Shortening


@settings(calm, max_examples=300)
@given(messages(), st.integers(12, 40))
def test_a_shortened_text_is_valid_and_fits_and_says_so(text: str, limit: int) -> None:
    short = shorten(text, limit, "\n<i>(cut)</i>")
    validate(short)
    assert visible_length(short) <= limit
    if visible_length(text) > limit:
        assert short.endswith("\n<i>(cut)</i>")
        assert plain(text).startswith(plain(short).removesuffix("\n(cut)"))


def test_the_note_stands_outside_of_the_tags() -> None:
    assert shorten("<b>one two three</b>", 9, "…") == "<b>one two</b>…"


def test_lines_are_kept_whole_where_that_is_possible() -> None:
    assert shorten("one\ntwo two\nthree three", 18, " …") == "one\ntwo two …"


def test_a_note_longer_than_the_limit_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="the note alone"):
        shorten("abcdef", 3, "....")
