"""The tags of parse_mode HTML, and the entity that each of them stands for."""

import re

from tests.sandbox.telegram.errors import cannot_parse_entities
from tests.sandbox.telegram.links import checked_link, mentioned_user_id

_STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
}
TAGS = frozenset({*_STYLES, "a", "code", "pre", "blockquote", "tg-emoji", "tg-time"})
# The attribute of each tag that means something; all others are read and forgotten.
ATTRIBUTES = {
    ("a", "href"),
    ("code", "class"),
    ("span", "class"),
    ("tg-emoji", "emoji-id"),
    ("blockquote", "expandable"),
    ("tg-time", "unix"),
    ("tg-time", "format"),
}
_TIME_FORMAT = re.compile(r"r|w?[dD]?[tT]?")


def tag_entity(
    name: str, attributes: dict[str, str], covered: str
) -> tuple[str, dict[str, object]] | None:
    """The entity that a closed tag stands for, or None where Telegram drops it silently."""
    if name in _STYLES:
        return _STYLES[name], {}
    if name == "blockquote":
        return ("expandable_" if "expandable" in attributes else "") + "blockquote", {}
    if name == "tg-emoji":
        return "custom_emoji", {"custom_emoji_id": _emoji(attributes.get("emoji-id", ""))}
    if name == "tg-time":
        return "date_time", _moment(attributes)
    return link_entity(attributes.get("href") or covered)


def link_entity(url: str) -> tuple[str, dict[str, object]] | None:
    """text_mention for tg://user?id=..., text_link for a good URL, None for any other."""
    user_id = mentioned_user_id(url)
    if user_id is not None:
        user = {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
        return "text_mention", {"user": user}
    link = checked_link(url)
    return ("text_link", {"url": link}) if link else None


def _emoji(raw: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,19}", raw) or int(raw) == 0:
        raise cannot_parse_entities("Invalid custom emoji identifier specified")
    return raw


def _moment(attributes: dict[str, str]) -> dict[str, object]:
    unix, form = attributes.get("unix", ""), attributes.get("format", "")
    if not re.fullmatch(r"[0-9]{1,10}", unix):
        raise cannot_parse_entities("Invalid date specified")
    if not _TIME_FORMAT.fullmatch(form):
        raise cannot_parse_entities("Invalid date format specified")
    return {"unix_time": int(unix), "date_time_format": form}


def code_language(css_class: str) -> dict[str, object]:
    prefix, _, language = css_class.partition("language-")
    return {"language": language} if language and not prefix else {}
