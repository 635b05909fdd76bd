"""A CSV that is dropped makes or completes subscribers; lines that cannot be used are listed beside it."""

from monitoring.files.actions import ActionRefused, ActionResult, FileChange, action_register
from monitoring.files.models import Change
from subscriptions.bulk.files import FileInvalid
from subscriptions.bulk.importing import import_start
from subscriptions.bulk.lines import Reject


def take(change: FileChange) -> ActionResult:
    """Begin the import of one file; how it goes on is told by its progress page."""

    def reject(line: Reject) -> None:
        change.rejects.add(line.number, line.text, line.reason)

    refusal = ""
    with change.open() as file:
        try:
            begun = import_start(
                file,
                source="file",
                name=f"{change.rule_name}: {change.path}"[:200],
                by=None,
                on_reject=reject,
            )
        except FileInvalid as exc:
            # Raised below: while the error lives its frames do, and they read from the file.
            refusal = exc.message
        if refusal:
            raise ActionRefused(refusal)
    if begun.operation is None:
        raise ActionRefused("no line of it can be used")
    return ActionResult(
        accepted=begun.accepted,
        note=f"{begun.accepted:,} subscribers are being imported: /progress/{begun.operation.pk}",
    )


def register() -> None:
    """Add it to the registry."""
    action_register(
        "subscribers",
        "Import subscribers",
        take,
        help="A CSV with a column username, and any of: expires or days, plan, telegram_id, tag, email, "
        "description, traffic_gb, language. Whoever is new is made in the panel, the others are "
        "completed; nobody's time gets shorter.",
        changes=(Change.ADDED, Change.MODIFIED),
        is_atomic=True,
    )
