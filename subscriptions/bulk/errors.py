"""What may be wrong with a bulk operation."""

from lib.errors import DomainError, InputInvalid, NotFound, TooLarge


class BulkUnknown(NotFound):
    """There is no such bulk operation."""

    code = "bulk_operation_unknown"


class BulkImpossible(DomainError):
    """The operation cannot do this as it is now."""

    code = "bulk_operation_state"


class BulkNotUndoable(DomainError):
    """What this operation did cannot be taken back."""

    code = "bulk_not_undoable"


class BulkNotConfirmed(DomainError):
    """So many would be changed that their number has to be said, or another number was said."""

    code = "bulk_not_confirmed"


class SelectionInvalid(InputInvalid):
    """It does not say, or not understandably, which subscribers."""

    code = "invalid_selection"


class ParamsInvalid(InputInvalid):
    """The operation needs something else to be told."""

    code = "invalid_params"


class SelectionTooLarge(TooLarge):
    """More subscribers are listed than one request may name."""

    code = "selection_too_large"
