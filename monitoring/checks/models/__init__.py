"""Services that are looked at, rules that are measured, and what was seen of both."""

from monitoring.checks.models.rule import RuleSample, RuleState
from monitoring.checks.models.service import ServiceCheck, ServiceOutage, ServiceSample

__all__ = ["RuleSample", "RuleState", "ServiceCheck", "ServiceOutage", "ServiceSample"]
