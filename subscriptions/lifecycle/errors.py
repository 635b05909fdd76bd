"""What may be refused of the life cycle."""

from lib.errors import DomainError, NotFound


class SweepUnknown(NotFound):
    """There is no such sweep."""

    code = "sweep_unknown"


class SweepNotHeld(DomainError):
    """Only a sweep that the brake holds can be approved or refused."""

    code = "sweep_not_held"


class SweepNotRunning(DomainError):
    """Only a running sweep can be stopped."""

    code = "sweep_not_running"


class SweepAlreadyRan(DomainError):
    """This sweep happens once in its period, and it has happened."""

    code = "sweep_already_ran"
