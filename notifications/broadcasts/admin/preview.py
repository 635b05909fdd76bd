"""How a broadcast looks to people: per channel and language, drawn by the rules of the channels."""

from dataclasses import dataclass
from typing import Any

from notifications.broadcasts.models import Broadcast, Channel
from notifications.broadcasts.texts import LANGUAGES, SOURCE, text_for
from notifications.inbox.admin.picture import Picture, picture_make
from notifications.telegram.preview import Preview, preview_make

_WORDS = {"en": "main text", "ru": "in Russian"}


@dataclass(frozen=True, slots=True)
class Look:
    """One text as one channel shows it. picture: of the inbox; preview: of Telegram."""

    channel: str
    language: str
    title: str
    picture: Picture | None = None
    preview: Preview | None = None


def looks_of(row: Broadcast) -> list[Look]:
    """Every text of a broadcast, saved or not; none of a blank one. Never raises for what a text holds."""
    languages = LANGUAGES if row.body_ru.strip() else LANGUAGES[:1]
    if is_blank(row):
        return []
    return [_look(row, channel, language) for channel in row.channels for language in languages]


def is_blank(row: Broadcast) -> bool:
    """Whether nothing is written yet."""
    return not any(text.strip() for text in (row.title, row.title_ru, row.body, row.body_ru))


def _look(row: Broadcast, channel: str, language: str) -> Look:
    text = text_for(row, channel, language)
    told: dict[str, Any] = {"channel": channel, "language": language}
    if channel == Channel.INBOX:
        picture = picture_make(message=text.text, source=SOURCE, priority=3, data=row.data)
        return Look(**told, title=f"Inbox, {_WORDS[language]}", picture=picture)
    preview = preview_make(text.text, text.parse_mode)
    return Look(**told, title=f"Telegram, {_WORDS[language]}", preview=preview)
