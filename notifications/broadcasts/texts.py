"""What a person reads: the text of a broadcast by channel and language."""

from dataclasses import dataclass

from notifications.broadcasts.errors import BroadcastInvalid
from notifications.broadcasts.models import Broadcast, Channel
from notifications.inbox.drafts import message_check
from notifications.inbox.errors import DraftInvalid
from notifications.telegram import markup
from notifications.telegram.services import TextInvalid, text_check

LANGUAGES = ("en", "ru")
SOURCE = "broadcast"  # what the inbox calls it, and people may mute


@dataclass(frozen=True, slots=True)
class Text:
    """One text, ready to be sent. parse_mode: "HTML" or None (plain)."""

    channel: str
    language: str
    text: str
    parse_mode: str | None


def language_of(broadcast: Broadcast, language: str) -> str:
    """Which of the texts somebody of that language gets: Russian if there is one, else the main text."""
    return "ru" if language.lower().startswith("ru") and broadcast.body_ru else "en"


def text_for(broadcast: Broadcast, channel: str, language: str) -> Text:
    """The text as it goes out: the title, an empty line, the body; of a draft what there is of them.

    The inbox shows plain text, so it gets what is seen of the markup.
    """
    chosen = language_of(broadcast, language)
    title, body = broadcast.title, broadcast.body
    if chosen == "ru":
        title, body = broadcast.title_ru or broadcast.title, broadcast.body_ru
    is_html = broadcast.parse_mode == "HTML"
    if channel == Channel.INBOX:
        return Text(channel, chosen, _joined(title, markup.plain(body) if is_html else body), None)
    if is_html:
        heading = f"<b>{markup.escape(title)}</b>" if title else ""
        return Text(channel, chosen, _joined(heading, body), "HTML")
    return Text(channel, chosen, _joined(title, body), None)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def texts_check(broadcast: Broadcast) -> None:
    """Raise BroadcastInvalid if a channel would refuse one of the texts."""
    for language in LANGUAGES[: 1 + bool(broadcast.body_ru)]:
        name = "body_ru" if language == "ru" else "body"
        if broadcast.parse_mode == "HTML":
            try:
                markup.validate(broadcast.body_ru if language == "ru" else broadcast.body, "HTML")
            except markup.MarkupInvalid as exc:
                raise BroadcastInvalid(name, str(exc)) from None
        for channel in broadcast.channels:
            text = text_for(broadcast, channel, language)
            try:
                if channel == Channel.INBOX:
                    message_check(text.text)
                else:
                    text_check(text.text, text.parse_mode)
            except (DraftInvalid, TextInvalid) as exc:
                raise BroadcastInvalid(name, f"{exc.message} (with its title, {channel})") from None
