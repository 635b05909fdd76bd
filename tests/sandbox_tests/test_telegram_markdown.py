"""MarkdownV2 and legacy Markdown: the usual forms, and the usual mistakes."""

from typing import Any

import orjson
import pytest

from tests.sandbox.telegram.errors import ApiError
from tests.sandbox.telegram.text import format_text

pytestmark = pytest.mark.unit


def parsed(source: str, mode: str) -> tuple[str, list[dict[str, Any]]]:
    formatted = format_text(source, mode)
    return formatted.text, orjson.loads(formatted.entities or "[]")


def spans(source: str, mode: str) -> tuple[str, list[tuple[str, int, int]]]:
    text, entities = parsed(source, mode)
    return text, [(item["type"], item["offset"], item["length"]) for item in entities]


def refusal(source: str, mode: str) -> str:
    with pytest.raises(ApiError) as caught:
        format_text(source, mode)
    return caught.value.description.removeprefix("Bad Request: can't parse entities: ")


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("*b* _i_ __u__ ~s~ ||h||", "b i u s h", ["bold", "italic", "underline"]),
        ("*bold _italic_*", "bold italic", ["bold", "italic"]),
        ("`code` ```\npre```", "code pre", ["code", "pre"]),
        ("1\\.5 \\- \\*no\\*", "1.5 - *no*", []),
        ("__u _i_ u__", "u i u", ["underline", "italic"]),
        (">quote\n>more\nrest", "quote\nmore\nrest", ["blockquote"]),
        (">quote\n>more||\nrest", "quote\nmore\nrest", ["expandable_blockquote"]),
        ("![x](tg://emoji?id=5368324170671202286)", "x", ["custom_emoji"]),
    ],
)
def test_markdown_v2_marks_become_entities(source: str, text: str, expected: list[str]) -> None:
    shown, entities = spans(source, "MarkdownV2")
    assert shown == text
    assert [kind for kind, _, _ in entities][: len(expected)] == expected
    assert bool(entities) == bool(expected)


def test_markdown_v2_links_and_languages_keep_their_arguments() -> None:
    assert parsed("[x](https://example.com/\\))", "MarkdownV2")[1] == [
        {"offset": 0, "length": 1, "type": "text_link", "url": "https://example.com/)"}
    ]
    assert parsed("```python\nx=1```", "markdownv2") == (
        "x=1",
        [{"offset": 0, "length": 3, "type": "pre", "language": "python"}],
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a - b", "Character '-' is reserved and must be escaped with the preceding '\\'"),
        ("я *b", "Can't find end of Bold entity at byte offset 3"),
        ("_i", "Can't find end of Italic entity at byte offset 0"),
        ("`c", "Can't find end of Code entity at byte offset 0"),
        ("[x](https://a.b", "Can't find end of a URL at byte offset 4"),
    ],
)
def test_markdown_v2_mistakes_are_named_with_their_place(source: str, words: str) -> None:
    assert refusal(source, "MarkdownV2") == words


@pytest.mark.timeout(5)
def test_a_url_full_of_backslashes_does_not_stop_the_parser() -> None:
    assert refusal("[x](" + "\\" * 20_001, "MarkdownV2") == (
        "Can't find end of a URL at byte offset 4"
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("*b* _i_", ("b i", [("bold", 0, 1), ("italic", 2, 1)])),
        ("`c` ```py\nx```", ("c x", [("code", 0, 1), ("pre", 2, 1)])),
        ("[x](http://example.com)", ("x", [("text_link", 0, 1)])),
        ("[x](nowhere)", ("x", [])),
        ("a\\_b 1.5 - !", ("a_b 1.5 - !", [])),
        ("*a _b_*", ("a _b_", [("bold", 0, 5)])),
    ],
)
def test_legacy_markdown_knows_five_marks_and_no_nesting(
    source: str, expected: tuple[str, list[tuple[str, int, int]]]
) -> None:
    assert spans(source, "Markdown") == expected


def test_a_legacy_mark_left_open_is_refused() -> None:
    assert refusal("я snake_case", "Markdown") == (
        "Can't find end of the entity starting at byte offset 8"
    )


def test_an_unknown_parse_mode_is_refused() -> None:
    with pytest.raises(ApiError, match="Bad Request: unsupported parse_mode"):
        format_text("x", "bbcode")
