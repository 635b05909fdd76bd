"""What may be refused in the webhooks, as values that every door can show."""

from lib.errors import DomainError, InputInvalid, TooLarge


class EventUnknown(InputInvalid):
    """No event type has this name."""

    code = "unknown_event_type"


class EventTooLarge(TooLarge):
    """The event is larger than receivers are told to expect."""

    code = "event_too_large"


class AddressInvalid(InputInvalid):
    """No request may go to this address."""

    code = "invalid_url"


class EndpointDisabled(DomainError):
    """The endpoint is switched off."""

    code = "endpoint_disabled"


class RotationUnfinished(DomainError):
    """The secret before this one is still alive."""

    code = "rotation_unfinished"


class SecretUnreadable(DomainError):
    """The secret was sealed under a key that is in neither SECRET_KEY nor SECRET_KEY_FALLBACKS."""

    code = "secret_unreadable"


class DeliveryPending(DomainError):
    """The delivery is on its way already."""

    code = "delivery_pending"


class DeliveryNotPending(DomainError):
    """The delivery does not wait any more."""

    code = "delivery_not_pending"
