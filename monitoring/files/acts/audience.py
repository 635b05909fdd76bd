"""A CSV that is dropped becomes an audience for broadcasts; lines that name nobody are listed beside it."""

from pathlib import PurePosixPath

from monitoring.files.actions import (
    ActionRefused,
    ActionResult,
    FileChange,
    OptionField,
    action_register,
)
from monitoring.files.models import Change
from notifications.broadcasts.audiences.imports import Reject, audience_import
from notifications.broadcasts.errors import FileInvalid

NAME_LIMIT = 200


def take(change: FileChange) -> ActionResult:
    """Import one file, all or nothing. Each content is a list of its own: lists are never changed."""
    name = change.options.get("name") or PurePosixPath(change.path).stem

    def reject(one: Reject) -> None:
        change.rejects.add(one.line, one.text, one.reason)

    refusal = ""
    with change.open() as file:
        try:
            result = audience_import(
                name, file, source=f"{change.rule_name}: {change.path}"[:300], on_reject=reject
            )
        except FileInvalid as exc:
            # Raised below: while the error lives its frames do, and they read from the file.
            refusal = exc.message.removeprefix("file: ")
        if refusal:
            raise ActionRefused(refusal)
    note = f"Audience “{name}” has {result.members:,} people."
    if result.duplicates:
        note += f" {result.duplicates:,} were named more than once."
    return ActionResult(accepted=result.rows - result.rejected, note=note)


def _name(text: str) -> str:
    if len(text) > NAME_LIMIT:
        raise ValueError(f"a name has {NAME_LIMIT} characters at most")
    return text


def register() -> None:
    """Add it to the registry."""
    action_register(
        "audience",
        "Import it as an audience",
        take,
        help="A CSV with a column user_id (and login) or telegram_id. Each file that is added or "
        "modified makes a new list for broadcasts.",
        fields=(
            OptionField(
                "name",
                "Name of the list",
                "Empty: the name of the file.",
                required=False,
                check=_name,
            ),
        ),
        changes=(Change.ADDED, Change.MODIFIED),
        is_atomic=True,
    )
