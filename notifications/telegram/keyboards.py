"""The buttons under a message: an inline keyboard, checked before it is queued.

Source: Bot API 10.1 (2026-06-11), InlineKeyboardMarkup and InlineKeyboardButton: one action per button,
callback_data of 1 to 64 bytes. The limits of rows and buttons are those of the server (100 in all, 8
in a row).
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lib.errors import InputInvalid

CALLBACK_LIMIT_BYTES = 64
ROW_LIMIT = 8
BUTTON_LIMIT = 100
TEXT_LIMIT = 64  # characters of a label: more is cut on a phone
_SCHEMES = {"http", "https", "tg"}


class KeyboardInvalid(InputInvalid):
    """Telegram would refuse the buttons."""

    code = "invalid_keyboard"


def press(text: str, callback: str) -> dict[str, str]:
    """A button whose press comes back to us as a callback."""
    return {"text": text, "callback_data": callback}


def link(text: str, url: str) -> dict[str, str]:
    """A button that opens an address."""
    return {"text": text, "url": url}


def keyboard(*rows: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """reply_markup of the rows; rows without a button are left out. Raises KeyboardInvalid."""
    made = {"inline_keyboard": [found for row in rows if (found := [dict(one) for one in row])]}
    keyboard_check(made)
    return made


def keyboard_check(markup: object) -> None:
    """Raise KeyboardInvalid, saying why, unless it is an inline keyboard that Telegram takes."""
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(markup, dict) or set(markup) != {"inline_keyboard"}:
        raise KeyboardInvalid('reply_markup must be {"inline_keyboard": [[button, ...], ...]}')
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        raise KeyboardInvalid("inline_keyboard must be a list of rows that hold buttons")
    if any(len(row) > ROW_LIMIT for row in rows) or sum(map(len, rows)) > BUTTON_LIMIT:
        raise KeyboardInvalid(f"a row has {ROW_LIMIT} buttons at most, all have {BUTTON_LIMIT}")
    for row in rows:
        for button in row:
            _button_check(button)


def _button_check(button: object) -> None:
    if not isinstance(button, dict) or not all(isinstance(value, str) for value in button.values()):
        raise KeyboardInvalid("a button is an object of texts")
    label = button.get("text", "")
    if not label.strip() or len(label) > TEXT_LIMIT:
        raise KeyboardInvalid(f"a button needs a text of 1 to {TEXT_LIMIT} characters")
    if set(button) == {"text", "callback_data"}:
        size = len(button["callback_data"].encode("utf-8", "surrogatepass"))
        if not 1 <= size <= CALLBACK_LIMIT_BYTES:
            raise KeyboardInvalid(f"callback_data has 1 to {CALLBACK_LIMIT_BYTES} bytes")
    elif set(button) == {"text", "url"}:
        if not _is_address(button["url"]):
            raise KeyboardInvalid("the url of a button must begin with https, http or tg")
    else:
        raise KeyboardInvalid("a button has a text and either a url or a callback_data")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc) and len(url) <= 2000
