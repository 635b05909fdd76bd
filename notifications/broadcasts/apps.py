"""Broadcasts: one message to many, with a ledger that tells the fate of each."""

from importlib import import_module

from django.apps import AppConfig


class BroadcastsConfig(AppConfig):
    name = "notifications.broadcasts"
    label = "broadcasts"
    verbose_name = "Broadcasts"

    def ready(self) -> None:
        from notifications.broadcasts.audiences.kinds import kinds_register
        from notifications.broadcasts.audiences.segments import segments_register
        from notifications.broadcasts.events import events_register

        import_module("notifications.broadcasts.audiences.upload_progress").register()
        kinds_register()
        segments_register()
        events_register()
        import_module("notifications.broadcasts.attention")
