"""Jobs and rows to look at, in `make run` only: named in SWITCHBOARD_EXTRA_APPS, refused without DEBUG."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "config.demo"
    label = "demo"
