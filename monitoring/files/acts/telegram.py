"""Tell a Telegram chat what changed: one message per batch, however many files it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from lib.errors import InputInvalid
from monitoring.files.actions import (
    ActionResult,
    FileChange,
    OptionField,
    action_register,
)
from monitoring.files.models import Change
from notifications.telegram.markup import escape, shorten
from notifications.telegram.services import chat_check, message_queue

SHOWN = 20  # files that are named
LONGEST_NAME = 120
_SIGNS = {Change.ADDED: "➕", Change.MODIFIED: "✏️", Change.MOVED: "➡️", Change.DELETED: "❌"}


@dataclass(frozen=True, slots=True)
class _Words:
    changed: str
    counts: Mapping[str, str]
    more: str
    open: str


_WORDS = {
    "en": _Words(
        "Files changed: {}",
        {"added": "added", "modified": "modified", "moved": "moved", "deleted": "deleted"},
        "… and {} more",
        "Open in the console",
    ),
    "ru": _Words(
        "Изменились файлы: {}",
        {
            "added": "новые",
            "modified": "изменённые",
            "moved": "перемещённые",
            "deleted": "удалённые",
        },
        "… и ещё {}",
        "Открыть в консоли",
    ),
}


def text_of(
    changes: Sequence[FileChange], counts: Mapping[str, int], language: str, url: str = ""
) -> str:
    """The message in Telegram HTML; whatever names hold is escaped, and what is too long is cut."""
    words = _WORDS[language]
    total = sum(counts.values())
    lines = [f"📁 <b>{escape(changes[0].rule_name)}</b>", words.changed.format(total)]
    if total > 1:
        parts = [f"{words.counts[each]}: {counts[each]}" for each in counts if counts[each]]
        lines[-1] += f" ({', '.join(sorted(parts))})"
    lines.append("")
    lines += [_line(each) for each in changes[:SHOWN]]
    if total > SHOWN:
        lines.append(words.more.format(total - SHOWN))
    if url:
        lines += ["", f'<a href="{escape(url)}">{words.open}</a>']
    return shorten("\n".join(lines))


def _line(change: FileChange) -> str:
    sign = _SIGNS[Change(change.change)]
    if change.old_path:
        return f"{sign} <code>{_name(change.old_path)}</code> → <code>{_name(change.path)}</code>"
    return f"{sign} <code>{_name(change.path)}</code>"


def _name(path: str) -> str:
    """The end of a path tells more than its beginning."""
    return escape(path if len(path) <= LONGEST_NAME else "…" + path[-LONGEST_NAME:])


def tell(changes: Sequence[FileChange], counts: Mapping[str, int]) -> ActionResult:
    """Queue the message in the transaction that writes the outcome of the batch."""
    first = changes[0]
    url = f"{settings.SITE_URL}/admin/files/filebatch/{first.batch_id}/change/"
    message, _ = message_queue(
        telegram_id=int(first.options["chat"]),
        message=text_of(changes, counts, first.options["language"], url),
        notification_type="files_changed",
        dedup_key=f"files:{first.batch_id}",
    )
    return ActionResult(note=f"Told in Telegram message {message.pk}.")


def _chat(text: str) -> int:
    try:
        chat = int(text)
        chat_check(chat)
    except (ValueError, InputInvalid):
        raise ValueError("the id of a chat is a number, such as 500100201") from None
    return chat


def register() -> None:
    """Add it to the registry."""
    action_register(
        "telegram",
        "Tell a Telegram chat",
        run_many=tell,
        help="One message per batch: which files were added, modified, moved and deleted.",
        fields=(
            OptionField(
                "chat", "Chat", "Its id: a person, a group or a channel of the bot.", check=_chat
            ),
            OptionField(
                "language",
                "Language",
                choices=(("en", "English"), ("ru", "Русский")),
                default=settings.TELEGRAM_LANGUAGE,
            ),
        ),
    )
