"""The pages of retention."""

from reports.retention import attention
from reports.retention.admin import runs

__all__ = ["attention", "runs"]
