"""Payments: invoices, what the provider says of them, and the log of what came in."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = "Payments"

    def ready(self) -> None:
        import payments.providers.cryptobot.tasks  # noqa: F401 - declares its job
        from payments import cryptobot_hook

        cryptobot_hook.register()
