"""Servers: what the panel says of each, kept with its history."""

from datetime import timedelta
from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from lib.partitions import partitioned_table


def _samples_kept() -> timedelta:
    kept: timedelta = settings.NODE_SAMPLES_KEPT
    return kept


class NodesConfig(AppConfig):
    name = "monitoring.nodes"
    label = "nodes"
    verbose_name = "Servers"

    def ready(self) -> None:
        partitioned_table("node_sample", "at", keep=_samples_kept)
        import_module("monitoring.nodes.receivers")
