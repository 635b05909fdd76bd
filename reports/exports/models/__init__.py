"""Tables of exports."""

from reports.exports.models.export import Export, ExportFormat, ExportState

__all__ = ["Export", "ExportFormat", "ExportState"]
