"""The rows of payments: orders and their story, what needs a person, what came in, what a day earned."""

from payments.models.financial_day import FinancialDay
from payments.models.incoming import IncomingWebhook, Intake
from payments.models.payment import CurrencyType, FoundBy, Payment, Purpose, State
from payments.models.payment_event import PaymentEvent
from payments.models.review import Review, ReviewReason

__all__ = [
    "CurrencyType",
    "FinancialDay",
    "FoundBy",
    "IncomingWebhook",
    "Intake",
    "Payment",
    "PaymentEvent",
    "Purpose",
    "Review",
    "ReviewReason",
    "State",
]
