"""The HTML parser: what is allowed, what is refused with which words, and where entities lie."""

from html import escape
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.telegram.errors import ApiError
from tests.sandbox.telegram.html import parse_html
from tests.sandbox.telegram.tags import TAGS
from tests.sandbox.telegram.text import format_text

pytestmark = pytest.mark.unit


def parsed(source: str) -> tuple[str, list[dict[str, Any]]]:
    formatted = format_text(source, "HTML")
    return formatted.text, orjson.loads(formatted.entities or "[]")


def spans(source: str) -> list[tuple[str, int, int]]:
    return [(item["type"], item["offset"], item["length"]) for item in parsed(source)[1]]


def refusal(source: str) -> str:
    with pytest.raises(ApiError) as caught:
        format_text(source, "HTML")
    assert caught.value.code == 400
    return caught.value.description.removeprefix("Bad Request: can't parse entities: ")


def test_the_sample_of_the_contract_parses_to_its_text_and_entity() -> None:
    source = "<b>Subscription ends tomorrow</b>\nUser: tom &amp; jerry &lt;tj&gt;"
    assert parsed(source) == (
        "Subscription ends tomorrow\nUser: tom & jerry <tj>",
        [{"offset": 0, "length": 26, "type": "bold"}],
    )


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("b", "bold"),
        ("strong", "bold"),
        ("i", "italic"),
        ("em", "italic"),
        ("u", "underline"),
        ("ins", "underline"),
        ("s", "strikethrough"),
        ("strike", "strikethrough"),
        ("del", "strikethrough"),
        ("tg-spoiler", "spoiler"),
        ("code", "code"),
        ("pre", "pre"),
        ("blockquote", "blockquote"),
        ("B", "bold"),
        ("Blockquote", "blockquote"),
    ],
)
def test_an_allowed_tag_becomes_its_entity(tag: str, kind: str) -> None:
    assert parsed(f"a <{tag}>bc</{tag}> d") == (
        "a bc d",
        [{"offset": 2, "length": 2, "type": kind}],
    )


@pytest.mark.parametrize(
    ("source", "entity"),
    [
        ('<span class="tg-spoiler">x</span>', {"type": "spoiler"}),
        ("<span class=tg-spoiler>x</span>", {"type": "spoiler"}),
        ("<blockquote expandable>x</blockquote>", {"type": "expandable_blockquote"}),
        ('<blockquote expandable="">x</blockquote>', {"type": "expandable_blockquote"}),
        ('<a href="tg://user?id=123">x</a>', {"type": "text_mention"}),
        (
            '<a href="HTTPS://Example.com">x</a>',
            {"type": "text_link", "url": "https://example.com/"},
        ),
        (
            '<a href="example.com/a?b=1&amp;c=2">x</a>',
            {"type": "text_link", "url": "http://example.com/a?b=1&c=2"},
        ),
        (
            '<a href="tg://resolve?domain=x">x</a>',
            {"type": "text_link", "url": "tg://resolve?domain=x"},
        ),
        (
            '<pre><code class="language-python">x</code></pre>',
            {"type": "pre", "language": "python"},
        ),
        (
            '<code class="language-python"><pre>x</pre></code>',
            {"type": "pre", "language": "python"},
        ),
        ('<code class="language-python">x</code>', {"type": "code"}),
        (
            '<tg-emoji emoji-id="5368324170671202286">x</tg-emoji>',
            {"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"},
        ),
        (
            '<tg-time unix="1795176000" format="wDT">x</tg-time>',
            {"type": "date_time", "unix_time": 1795176000, "date_time_format": "wDT"},
        ),
    ],
)
def test_attributes_that_mean_something_reach_the_entity(
    source: str, entity: dict[str, Any]
) -> None:
    text, entities = parsed(source)
    assert text == "x"
    assert len(entities) == 1
    assert entity.items() <= entities[0].items()


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/", "ftp://example.com/", "/path", "javascript:alert(1)", "ht tp"]
)
def test_a_link_with_a_bad_url_loses_the_link_silently(url: str) -> None:
    assert parsed(f'<a href="{url}">here</a>') == ("here", [])


def test_a_link_without_an_address_uses_its_text() -> None:
    assert parsed("<a>example.com</a>")[1][0]["url"] == "http://example.com/"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a &lt; b &gt; c &amp; d &quot;e&quot;", 'a < b > c & d "e"'),
        ("&#39;&#x27;&#128640;&#x1F680;", "''\U0001f680\U0001f680"),
        ("&nbsp; &copy; &apos;", "&nbsp; &copy; &apos;"),
        ("tom & jerry &; &# &#x; &#0; &", "tom & jerry &; &# &#x; &#0; &"),
        ("a &lt b", "a < b"),
        ("&LT;", "&LT;"),
        ("&#0000000065;", "&#0000000065;"),
    ],
)
def test_only_four_names_and_numbers_are_decoded(source: str, text: str) -> None:
    assert parsed(source) == (text, [])


@pytest.mark.parametrize(
    "tag", ["br", "p", "div", "ul", "h1", "!--", "tj", "img", "", "b/", "br/", "?xml"]
)
def test_any_other_tag_is_unsupported(tag: str) -> None:
    assert refusal(f"<{tag}>") == f'Unsupported start tag "{tag}" at byte offset 0'


def test_the_offset_of_the_sample_is_in_bytes_of_the_source() -> None:
    source = "<b>Subscription ends tomorrow</b>\nUser: tom & jerry <tj>"
    assert refusal(source) == 'Unsupported start tag "tj" at byte offset 52'


def test_offsets_count_bytes_not_characters() -> None:
    assert refusal("Привет <x>") == 'Unsupported start tag "x" at byte offset 13'
    assert refusal("\U0001f680 <x>") == 'Unsupported start tag "x" at byte offset 5'


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</i>", 'Can\'t find end tag corresponding to start tag "b"'),
        ("</b>", "Unexpected end tag at byte offset 0"),
        ("x<b>y</b></i>", "Unexpected end tag at byte offset 9"),
        (
            "<b><i>x</b></i>",
            'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
        ),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("x <", "Unclosed start tag at byte offset 2"),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b>x</b y>", "Unclosed end tag at byte offset 4"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
        ("<a href", 'Unclosed start tag "a" at byte offset 0'),
        ("<a href=x/y>z</a>", "Unexpected end of name token at byte offset 8"),
        ("<a ='x'>z</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<span class="red">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">x</tg-emoji>', "Invalid custom emoji identifier specified"),
    ],
)
def test_broken_markup_is_refused_with_the_words_of_the_server(source: str, words: str) -> None:
    assert refusal(source) == words


def test_half_of_a_surrogate_pair_is_refused() -> None:
    assert refusal("&#xD83D;").startswith("Text contains invalid Unicode characters")


def test_a_nameless_end_tag_closes_the_innermost_tag() -> None:
    assert spans("<b>x<i>y</></>") == [("bold", 0, 2), ("italic", 1, 1)]


def test_spaces_inside_tags_do_not_matter() -> None:
    assert spans('<a  href = "example.com" >x</a >') == [("text_link", 0, 1)]


def test_offsets_and_lengths_count_utf16_units() -> None:
    assert spans("\U0001f680 <b>\U0001f680\U0001f680</b> <i>я</i>") == [
        ("bold", 3, 4),
        ("italic", 8, 1),
    ]


def test_entities_come_sorted_with_the_outer_one_first() -> None:
    assert spans("<i><b>x</b> y</i> <u>z</u>") == [
        ("italic", 0, 3),
        ("bold", 0, 1),
        ("underline", 4, 1),
    ]


def test_touching_styles_of_a_kind_become_one() -> None:
    assert spans("<b>a</b><b>b</b><b>c<b>d</b></b>") == [("bold", 0, 4)]


def test_styles_give_way_to_code() -> None:
    assert spans("<b>a<code>b</code>c</b>") == [("bold", 0, 1), ("code", 1, 1), ("bold", 2, 1)]


def test_white_space_around_a_text_is_trimmed_and_entities_move_along() -> None:
    assert parsed("  \n <b> x </b>  ") == ("x", [{"offset": 0, "length": 1, "type": "bold"}])


def test_an_entity_that_shows_nothing_is_dropped() -> None:
    assert parsed("a<b> </b>b<i></i>") == ("a b", [])


@pytest.mark.parametrize("source", [" ", "\n\n", "<b></b>", "<b> </b>\n", "\u200b", "\r\n"])
def test_a_text_that_shows_nothing_is_refused(source: str) -> None:
    with pytest.raises(ApiError, match="Bad Request: text must be non-empty"):
        format_text(source, "HTML")


def test_carriage_returns_vanish_and_entities_stay_in_place() -> None:
    assert parsed("a\r\n<b>b\r\nc</b>") == (
        "a\nb\nc",
        [{"offset": 2, "length": 3, "type": "bold"}],
    )


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_what_html_escape_wrote_is_read_back(value: str) -> None:
    """The contract promises that html.escape on every inserted value is enough."""
    assert parse_html(f"<b>{escape(value)}</b>")[0] == value


@given(st.lists(st.sampled_from([*(f"<{t}>" for t in TAGS), "</>", "</b>", "x", "&", "<", " "])))
def test_any_soup_of_tags_is_either_parsed_or_refused(pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        formatted = format_text(source, "html")
    except ApiError:
        return
    total = len(formatted.text.encode("utf-16-le")) // 2
    for item in orjson.loads(formatted.entities or "[]"):
        assert 0 <= item["offset"] < item["offset"] + item["length"] <= total
