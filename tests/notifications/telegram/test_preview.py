"""A text as a browser shows it: the look of Telegram, and nothing of its author's."""

import re

import pytest

from notifications.telegram.preview import preview_make, preview_sent

pytestmark = pytest.mark.unit

ALLOWED = {"b", "i", "u", "s", "code", "pre", "blockquote", "a", "span"}


def body(text: str, parse_mode: str | None = "HTML") -> str:
    return str(preview_make(text, parse_mode).body)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("<b>a</b><strong>b</strong>", "<b>a</b><b>b</b>"),
        ("<em>a</em> <ins>b</ins> <del>c</del>", "<i>a</i> <u>b</u> <s>c</s>"),
        ("<b>a<i>b</i></b>c", "<b>a<i>b</i></b>c"),
        ("a &lt; b &amp; c", "a &lt; b &amp; c"),
        ("&nbsp;", "&amp;nbsp;"),
        ("  \n x \n ", "x"),
        ("<code>1 &gt; 0</code>", "<code>1 &gt; 0</code>"),
        ('<pre><code class="language-x">y</code></pre>', "<pre><code>y</code></pre>"),
        ("a\n<blockquote>q</blockquote>\nb", "a<blockquote>q</blockquote>b"),
        ("a\n\n<pre>p</pre>\n\nb", "a\n<pre>p</pre>\nb"),
        ('<tg-emoji emoji-id="5">x</tg-emoji>', '<span class="tg-special">x</span>'),
    ],
)
def test_each_tag_looks_as_in_telegram(text: str, shown: str) -> None:
    assert body(text) == shown


def test_a_link_leads_to_the_web_only() -> None:
    assert 'href="https://example.com/?a=1&amp;b=2"' in body(
        '<a href="https://example.com/?a=1&amp;b=2">x</a>'
    )
    for address in (
        "javascript:alert(1)",
        "tg://user?id=1",
        "data:text/html,x",
        "//evil",
        "",
        " https://x",
    ):
        shown = body(f'<a href="{address}">x</a>')
        assert "<a" not in shown
        assert "href" not in shown
    assert 'rel="noopener noreferrer nofollow"' in body("<a href='http://example.com'>x</a>")


@pytest.mark.parametrize(
    "word", ["https://example.com/x", "@example_support", "#news", "/start", "#Новости"]
)
def test_what_telegram_links_by_itself_looks_like_a_link(word: str) -> None:
    link = f'<span class="tg-link">{word}</span>'
    assert body(f"see {word}, please") == f"see {link}, please"
    assert link not in body(f"<code>{word}</code>")
    assert link not in body(f'<a href="https://example.com">{word}</a>')


@pytest.mark.parametrize("text", ["a@example.com", "1/2", "C#", "a/b/c", "#1", "@abc"])
def test_what_telegram_does_not_link_is_text(text: str) -> None:
    assert "tg-link" not in body(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<b onclick="alert(1)">x</b>',
        "<img src=x onerror=alert(1)>",
        "<b>x</b><!-- -->",
        '<a href="https://x" onmouseover="alert(1)">x</a>',
        "<a href='https://x\"onload=\"alert(1)'>x</a>",
        '<a href="https://x\'><script>">x</a>',
        "<b><i></b></i>",
        "&#60;script&#62;alert(1)&#60;/script&#62;",
        '<span class="tg-spoiler" style="position:fixed">x</span>',
        "<blockquote expandable>x</blockquote>",
        "\x00<b>x</b>",
        'https://example.com/"onclick="alert(1)',
        '<tg-time unix="1" format="><script>">x</tg-time>',
    ],
)
@pytest.mark.parametrize("parse_mode", ["HTML", None, "MarkdownV2", "BBCode"])
def test_nothing_of_the_author_gets_out(text: str, parse_mode: str | None) -> None:
    for make in (preview_make, preview_sent):
        shown = str(make(text, parse_mode).body)
        for tag in re.findall(r"<[^>]*>", shown):
            found = re.fullmatch(r'</?([a-z]+)((?: [a-z]+="[^"<>]*")*)>', tag)
            assert found is not None, shown
            assert found[1] in ALLOWED
            names = set(re.findall(r' ([a-z]+)="', found[2]))
            assert names <= {"class", "href", "title", "target", "rel", "tabindex"}


def test_the_length_counts_what_is_seen() -> None:
    assert preview_make("<b>" + "я" * 4096 + "</b>", "HTML").error == ""
    found = preview_make("x" * 4097, None)
    assert (found.length, found.limit) == (4097, 4096)
    assert "4097" in found.error


def test_broken_markup_says_what_is_wrong_and_shows_the_text() -> None:
    found = preview_make("<b>x", "HTML")
    assert "never closed" in found.error
    assert found.body == "&lt;b&gt;x"
    sent = preview_sent("<b>x", "HTML")
    assert sent.error == ""
    assert sent.note.startswith("Sent as plain text")
    assert sent.body == "&lt;b&gt;x"


def test_markdown_is_shown_as_it_was_written() -> None:
    found = preview_make("*bold*", "MarkdownV2")
    assert (found.body, found.length, found.error) == ("*bold*", None, "")
    assert "Markdown" in found.note


@pytest.mark.parametrize("text", ["", " ", "\u2800", "<b></b>"])
def test_an_empty_text_is_an_error(text: str) -> None:
    found = preview_sent(text, "HTML")
    assert "empty" in found.error
    assert found.body == ""
