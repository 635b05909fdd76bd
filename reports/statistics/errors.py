"""What is refused, in words and codes."""

from lib.errors import DomainError


class DayNotOver(DomainError):
    """Days are computed once they are over."""

    code = "day_not_over"


class PeriodInvalid(DomainError):
    """A weekly report begins on a Monday."""

    code = "period_invalid"
    status = 422


class ReportNotPossible(DomainError):
    """There is nothing to report of yet."""

    code = "report_not_possible"


class NobodyToTell(DomainError):
    """No chat gets this report."""

    code = "nobody_to_tell"
