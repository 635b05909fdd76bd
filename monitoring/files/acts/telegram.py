"""Tell a Telegram chat what changed: one message per batch, however many files it has."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from lib.errors import InputInvalid
from monitoring.files.actions import (
    ActionResult,
    FileChange,
    OptionField,
    action_register,
)
from monitoring.files.models import Change
from notifications.telegram.services import chat_check, message_queue
from notifications.telegram.templates import render

SHOWN = 20  # files that are named
LONGEST_NAME = 120


def text_of(
    changes: Sequence[FileChange], counts: Mapping[str, int], language: str, url: str = ""
) -> str:
    """The message in Telegram HTML: the template files_changed; what is too long is cut."""
    shown = changes[:SHOWN]
    told: dict[str, Any] = {
        "rule": changes[0].rule_name,
        "total": sum(counts.values()),
        "more": max(0, sum(counts.values()) - len(shown)) or None,
        "url": url or None,
    }
    for change in Change:
        told[f"{change}_count"] = counts.get(change) or None
        told[str(change)] = [_row(each) for each in shown if each.change == change]
    return render("files_changed", language, **told)


def _row(change: FileChange) -> dict[str, str]:
    if change.change == Change.MOVED:
        return {"old_name": _name(change.old_path or ""), "new_name": _name(change.path)}
    return {"name": _name(change.path)}


def _name(path: str) -> str:
    """The end of a path tells more than its beginning."""
    return path if len(path) <= LONGEST_NAME else "…" + path[-LONGEST_NAME:]


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
