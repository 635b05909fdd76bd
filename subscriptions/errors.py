"""What may be refused in subscriptions, as values that every door can show."""

from lib.errors import DomainError, InputInvalid, NotFound, Unavailable


class SubscriberGone(DomainError):
    """The panel has no such user any more."""

    code = "subscriber_gone"


class SubscriberNotInPanel(DomainError):
    """The subscriber is not in the panel yet."""

    code = "subscriber_not_in_panel"


class SubscriberOver(DomainError):
    """The paid time is over: extend instead of enabling."""

    code = "subscriber_expired"


class PanelUnavailable(Unavailable):
    """The panel does not answer just now; nothing is known to have changed."""

    code = "panel_unavailable"


class OutcomeUnknown(DomainError):
    """The panel was asked and its answer got lost: look before you ask again."""

    code = "outcome_unknown"


class SubscriberIsAnother(DomainError):
    """The panel has another person under the number of this subscriber; nothing was changed."""

    code = "subscriber_is_another"


class PanelRefusal(DomainError):
    """The panel refused it."""

    code = "panel_refused"


class PlanUnknown(NotFound):
    """There is no such plan."""

    code = "plan_unknown"


class PlanNotSold(DomainError):
    """The plan is not sold any more."""

    code = "plan_not_sold"


class PriceUnknown(DomainError):
    """The plan has no price in this currency."""

    code = "price_unknown"


class PlanInvalid(InputInvalid):
    """Nobody could be sold such a plan."""

    code = "invalid_plan"


class PriceInvalid(InputInvalid):
    """Nobody could pay such a price."""

    code = "invalid_price"


class ActivationNotOpen(DomainError):
    """This payment was activated already."""

    code = "activation_applied"


class ActivationNotMissing(DomainError):
    """The panel has the user: there is nothing to create anew."""

    code = "activation_not_missing"


class GapClosed(DomainError):
    """The gap was closed already."""

    code = "gap_closed"
