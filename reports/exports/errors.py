"""What may be wrong with an export."""

from lib.errors import DomainError, InputInvalid, NotFound


class ExportUnknown(NotFound):
    """There is no such export."""

    code = "export_unknown"


class ExportForbidden(DomainError):
    """An export takes the permission to see its rows, and one to export."""

    code = "permission_denied"
    status = 403


class ExportImpossible(DomainError):
    """The export cannot do this as it is now."""

    code = "export_state"


class ExportsTooMany(DomainError):
    """Too many exports of this account wait or are being written."""

    code = "exports_too_many"


class ExportInvalid(InputInvalid):
    """What is ordered does not fit together."""

    code = "invalid_export"


class FileGone(DomainError):
    """The file is not there any more."""

    code = "export_file_gone"
    status = 410


class LinkDead(DomainError):
    """This link opens nothing: it is not ours, it was revoked, or its time is over."""

    code = "export_link_dead"
    status = 410


class StoreAway(DomainError):
    """The store of the files does not answer."""

    code = "export_store_away"
    status = 503
