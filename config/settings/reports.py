"""Daily statistics and reports (docs/reports.md)."""

from config import env

# How far back days that were missed, because nothing ran, are computed later.
STATISTICS_CATCH_UP_DAYS = env.integer("STATISTICS_CATCH_UP_DAYS", 14, least=1, most=90)
