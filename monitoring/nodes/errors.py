"""What may be refused about servers, as values that every door can show."""

from lib.errors import DomainError, InputInvalid, NotFound, Unavailable


class NodeUnknown(NotFound):
    """There is no such server."""

    code = "node_unknown"


class NodeGone(DomainError):
    """The panel no longer lists this server."""

    code = "node_gone"


class NodeDisabled(DomainError):
    """The server is disabled; enable it first."""

    code = "node_disabled"


class PlaceInvalid(InputInvalid):
    """There is no such place on earth."""

    code = "invalid_place"


class CostInvalid(InputInvalid):
    """Nobody could pay such a price."""

    code = "invalid_cost"


class PanelSilent(Unavailable):
    """The panel does not answer just now; nothing is known to have changed."""

    code = "panel_unavailable"


class PanelObjects(DomainError):
    """The panel refused it."""

    code = "panel_refused"
