"""Servers: what the panel says of each, kept with its history."""

from django.apps import AppConfig


class NodesConfig(AppConfig):
    name = "monitoring.nodes"
    label = "nodes"
    verbose_name = "Servers"
