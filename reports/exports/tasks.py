"""The jobs of exports."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from jobs.context import JobContext, current_job
from jobs.ladders import CLEANUP, Delays
from jobs.outcomes import Cancel, Outcome
from jobs.registry import job
from lib.errors import DomainError
from reports.exports.cleaning import exports_clean, exports_without_job
from reports.exports.stores import store
from reports.exports.writing import export_delayed, export_fail, export_write

GAVE_UP = "its job gave up, or was put away; the job's page says why"


@job(
    "reports.write_export",
    retry=Delays("5s 30s 2m"),  # a person waits: ten minutes, as for reports, would be too long
    timeout="1h",
    skip_ahead=True,  # whoever waits for the next try holds up nobody
)
def write_export(export_id: UUID) -> Outcome | dict[str, Any]:
    """Write the file of an export, and tell whoever asked for it."""
    key, context = UUID(str(export_id)), current_job()

    def look(rows: int, expected: int | None) -> None:
        if context is not None:
            context.report(rows, expected)
            context.check()

    try:
        export = export_write(key, look=look)
    except Exception as exc:
        _failed(key, exc, context)
        raise
    if export is None:
        return Cancel("it was cancelled, or is done")
    return {"rows": export.rows, "bytes": export.bytes}


def _failed(export_id: UUID, exc: Exception, context: JobContext | None) -> None:
    is_ours = isinstance(exc, DomainError) or type(exc).__module__.startswith("reports.")
    why = str(exc) if is_ours else f"{type(exc).__name__}: {exc}".strip(": ")
    if context is None or context.attempt >= context.max_attempts:
        export_fail(export_id, why)
    else:
        export_delayed(export_id, why)


@job("reports.remove_export_file", queue="maintenance", retry=CLEANUP, timeout="5m")
def remove_export_file(name: str) -> dict[str, bool]:
    """Take away the file of an export that a person has deleted."""
    return {"removed": store().remove(name)}


@job("reports.clean_exports", queue="maintenance", every="1h", retry=CLEANUP, timeout="30m")
def clean_exports(dry_run: bool = False) -> dict[str, int]:
    """Take away files whose 24 hours are over, and files that no export speaks of."""
    return asdict(exports_clean(dry_run=dry_run))


@job("reports.watch_exports", queue="maintenance", every="1m", timeout="1m", single=True)
def watch_exports() -> dict[str, int]:
    """Give up exports whose job is dead or gone, so that nobody waits for them."""
    return {"failed": sum(export_fail(key, GAVE_UP) for key in exports_without_job())}
