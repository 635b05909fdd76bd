"""The backend as settings name it (ENGINE)."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps queries only where a test asks for them (assertNumQueries, CaptureQueriesContext).

    With DEBUG Django writes every query out and keeps it; in a worker that costs more than the jobs.
    """

    @property
    def queries_logged(self) -> bool:
        return bool(self.force_debug_cursor)
