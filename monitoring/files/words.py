"""What went wrong, in words for people."""

from lib.errors import DomainError
from monitoring.files.actions import ActionFailed, ActionRefused, ActionSkipped
from monitoring.files.errors import FileRefused


def sentence(exc: Exception) -> str:
    """What went wrong, for people; what is none of ours only by its kind."""
    if isinstance(exc, DomainError):
        text = exc.message
    elif isinstance(exc, OSError):
        text = f"it cannot be read: {words(exc)}"
    elif isinstance(exc, ActionFailed | ActionRefused | ActionSkipped | FileRefused):
        text = str(exc)
    else:
        text = f"the action raised {type(exc).__name__}; the log has the traceback"
    text = text.strip().replace("\x00", "")[:1000] or type(exc).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def words(exc: Exception) -> str:
    """The system's own words for an error."""
    return (exc.strerror if isinstance(exc, OSError) else str(exc)) or type(exc).__name__
