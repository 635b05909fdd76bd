"""What may be refused."""

from lib.errors import DomainError, NotFound


class PolicyUnknown(NotFound):
    """There is no such kind of cleanup."""

    code = "retention_kind_unknown"


class RetentionBusy(DomainError):
    """A run of this kind that somebody asked for is waiting or running already."""

    code = "retention_busy"


class RunOver(DomainError):
    """The run has ended already."""

    code = "retention_over"
