"""Where the console shows an alert."""

from django.conf import settings

from monitoring.alerts.models import Alert

LIST = "/admin/alerts/alert/"


def path_of(alert: Alert) -> str:
    """The page of an alert, as a path."""
    return f"{LIST}{alert.pk}/change/"


def address_of(alert: Alert) -> str:
    """The page of an alert, as an address."""
    return f"{settings.SITE_URL}{path_of(alert)}"


def list_address() -> str:
    """The list of what is open."""
    return f"{settings.SITE_URL}{LIST}"
