"""What the broadcasts refuse.

DomainError
  BroadcastUnknown     404
  AudienceUnknown      404
  UploadUnknown        404
  BroadcastSettled     409  `broadcast_status` says where it is; what was asked makes no sense there
  BroadcastChanged     409  somebody else has edited it meanwhile; `version` is the present one
  NothingMissing       409  nobody is left to send it to again
  CountSlow            409  the audience cannot be counted within the time of a request
  BroadcastInvalid     422  says which field and why
    AudienceInvalid    422
    FileInvalid        422  the file of an audience
"""

from lib.errors import DomainError, InputInvalid, NotFound


class BroadcastUnknown(NotFound):
    """There is no such broadcast."""

    code = "broadcast_unknown"


class AudienceUnknown(NotFound):
    """There is no such audience; it may have been deleted."""

    code = "audience_unknown"


class UploadUnknown(NotFound):
    """There is no such import; it may have been forgotten."""

    code = "import_unknown"


class BroadcastSettled(DomainError):
    """The broadcast is not in a state in which this can be done."""

    code = "broadcast_state"


class BroadcastChanged(DomainError):
    """Somebody else has edited the broadcast meanwhile; look at it again."""

    code = "broadcast_changed"


class NothingMissing(DomainError):
    """Everybody who can get it has it: there is nobody to send it to again."""

    code = "nothing_missing"


class BroadcastInvalid(InputInvalid):
    """The broadcast does not have the form that is asked for."""

    code = "invalid"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}", errors=[{"field": field, "message": why}])
        self.field = field


class CountSlow(DomainError):
    """Counting these takes long. Save the draft: its page counts without a limit of time."""

    code = "count_slow"


class AudienceInvalid(BroadcastInvalid):
    """The audience is none that we know."""

    code = "invalid_audience"

    def __init__(self, why: str) -> None:
        super().__init__("audience", why)


class FileInvalid(BroadcastInvalid):
    """The file cannot be read as a list of people."""

    code = "invalid_file"

    def __init__(self, why: str) -> None:
        super().__init__("file", why)
