"""What may be refused of services and rules."""

from lib.errors import NotFound


class ServiceUnknown(NotFound):
    """There is no such service."""

    code = "service_unknown"


class RuleUnknown(NotFound):
    """There is no such rule."""

    code = "rule_unknown"
