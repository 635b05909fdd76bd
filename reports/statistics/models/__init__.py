"""Tables of statistics."""

from reports.statistics.models.daily_stat import DailyStat

__all__ = ["DailyStat"]
