"""The pages of statistics in the console; what needs a person is registered with them."""

from reports.statistics import attention
from reports.statistics.admin import days, reports

__all__ = ["attention", "days", "reports"]
