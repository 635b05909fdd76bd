"""The operators' console of the file watch. Django's admin imports this package at start."""

from monitoring.files import attention
from monitoring.files.admin import batches, files, rules

__all__ = ["attention", "batches", "files", "rules"]
