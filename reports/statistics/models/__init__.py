"""Tables of statistics."""

from reports.statistics.models.cohort import Cohort, CohortKind
from reports.statistics.models.daily_stat import DailyStat, UsersSource
from reports.statistics.models.report import (
    LANGUAGES,
    Report,
    ReportDelivery,
    ReportKind,
    ReportSubscription,
)

__all__ = [
    "LANGUAGES",
    "Cohort",
    "CohortKind",
    "DailyStat",
    "Report",
    "ReportDelivery",
    "ReportKind",
    "ReportSubscription",
    "UsersSource",
]
