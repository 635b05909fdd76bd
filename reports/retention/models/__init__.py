"""The rows of retention: what each run counted or removed."""

from reports.retention.models.run import RetentionRun, RunState

__all__ = ["RetentionRun", "RunState"]
