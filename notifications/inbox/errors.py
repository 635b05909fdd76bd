"""What the inbox refuses.

DomainError
  NotificationUnknown           404  there is none with this id, or it is somebody else's
  NotificationSettled           409  what was asked no longer makes sense
  DraftInvalid                  422  says which field and why
  StreamIdInvalid               422
  TooManyTargets                413
  InboxBusy                     503  with Retry-After
"""

from lib.errors import DomainError, InputInvalid, NotFound, TooLarge, Unavailable


class NotificationUnknown(NotFound):
    """There is no such notification."""

    code = "notification_unknown"


class NotificationSettled(DomainError):
    """The notification was read, has expired or was taken back already."""

    code = "notification_settled"


class DraftInvalid(InputInvalid):
    """The notification does not have the form that is asked for."""

    code = "invalid"


class StreamIdInvalid(InputInvalid):
    """A stream id is made of digits, a minus sign and a zero: 1640995200000-0."""

    code = "invalid_stream_id"


class TooManyTargets(TooLarge):
    """One request names at most 10,000 targets."""

    code = "too_many_targets"


class InboxBusy(Unavailable):
    """More notifications are coming in than can be written; try again in a moment."""

    code = "busy"
