"""What may be refused in payments, as values that every door can show."""

from lib.errors import DomainError, InputInvalid, Unavailable


class OrderInvalid(InputInvalid):
    """Nobody could pay such an order."""

    code = "invalid_order"


class OrderDiffers(DomainError):
    """The key was used before, for another order."""

    code = "order_differs"


class ProviderOff(Unavailable):
    """No new orders are taken: CRYPTOBOT_ENABLED is off."""

    code = "provider_off"


class PaymentNotOpen(DomainError):
    """The payment is no longer open."""

    code = "payment_not_open"


class PaymentNotCompleted(DomainError):
    """Only what was paid can be marked as refunded."""

    code = "payment_not_completed"


class PaymentHasNoInvoice(DomainError):
    """There is no invoice that the provider could be asked about."""

    code = "payment_has_no_invoice"


class ReviewResolved(DomainError):
    """Somebody has answered this question already."""

    code = "review_resolved"


class ReviewNotSettleable(DomainError):
    """This question cannot be answered by settling a payment."""

    code = "review_not_settleable"


class WebhookNotReplayable(DomainError):
    """This delivery cannot be processed again."""

    code = "webhook_not_replayable"


class SourceUnknown(LookupError):
    """No source of webhooks has this name."""
