"""What the doors call; each stands in a file of its own."""

from reports.exports.cleaning import exports_clean
from reports.exports.control import (
    export_cancel,
    export_delete,
    export_get,
    export_open,
    export_revoke,
    may_operate,
)
from reports.exports.links import link_of, link_open
from reports.exports.ordering import export_order, may_export

__all__ = [
    "export_cancel",
    "export_delete",
    "export_get",
    "export_open",
    "export_order",
    "export_revoke",
    "exports_clean",
    "link_of",
    "link_open",
    "may_export",
    "may_operate",
]
