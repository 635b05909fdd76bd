"""The pages of exports in the console."""

from reports.exports.admin import exports

__all__ = ["exports"]
