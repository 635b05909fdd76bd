"""What may be refused of an alert, as values that every door can show."""

from lib.errors import DomainError


class AlertResolved(DomainError):
    """The alert is resolved already."""

    code = "alert_resolved"


class AlertNotSilenced(DomainError):
    """No silence of this alert alone is in force."""

    code = "alert_not_silenced"


class SilenceOver(DomainError):
    """The silence has ended already."""

    code = "silence_over"


class AlertNotRecheckable(DomainError):
    """What raised the alert cannot be run on demand."""

    code = "alert_not_recheckable"


class AssigneeUnsuitable(DomainError):
    """Only active staff who may see alerts can have one."""

    code = "assignee_unsuitable"


class NobodyToTell(DomainError):
    """There is no bot, or neither ALERT_ESCALATION_IDS nor ADMIN_TELEGRAM_IDS names a chat."""

    code = "nobody_to_tell"
