"""Statistics: a row per day, and the reports made of them."""

from django.apps import AppConfig


class StatisticsConfig(AppConfig):
    name = "reports.statistics"
    label = "statistics"
    verbose_name = "Statistics"
