"""The rows of the webhooks: endpoints with their lanes, events, deliveries, attempts."""

from notifications.webhooks.models.delivery import Attempt, Delivery, Event
from notifications.webhooks.models.endpoint import EVERYTHING, Endpoint, Lane
from notifications.webhooks.models.tally import Tally

__all__ = ["EVERYTHING", "Attempt", "Delivery", "Endpoint", "Event", "Lane", "Tally"]
