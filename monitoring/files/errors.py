"""What the file watch refuses.

DomainError
  RuleUnknown, BatchUnknown      there is no such row
  DirectoryRefused               outside of FILE_WATCH_ROOTS, or no directory that can be used
  RuleInvalid                    a field of a rule that cannot be used
  RuleChanged, LeadershipLost    a watcher found that the world has moved on; it looks again
  BatchNotFailed                 there is nothing to try again
FileRefused                      this file is not read: a link, no ordinary file, too large
FileMoving                       it was written to while it was read
"""

from lib.errors import DomainError, InputInvalid, NotFound


class RuleUnknown(NotFound):
    """There is no such rule."""

    code = "rule_unknown"


class BatchUnknown(NotFound):
    """There is no such batch."""

    code = "batch_unknown"


class DirectoryRefused(InputInvalid):
    """The directory may not be watched."""

    code = "directory_refused"


class RuleInvalid(InputInvalid):
    """The rule cannot be used as it is."""

    code = "invalid_rule"


class RuleNameTaken(DomainError):
    """There is a rule of that name already."""

    code = "rule_name_taken"


class RuleChanged(DomainError):
    """The rule was edited or paused meanwhile."""

    code = "rule_changed"


class LeadershipLost(DomainError):
    """Another watcher leads by now."""

    code = "leadership_lost"


class BatchNotFailed(DomainError):
    """No file of the batch has failed."""

    code = "batch_not_failed"


class FileRefused(Exception):
    """This file is not read; the text says why."""


class FileMoving(Exception):
    """The file was written to while it was read."""
