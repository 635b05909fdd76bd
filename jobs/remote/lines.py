"""Log lines of attempts that run outside: kept beside the job until the attempt ends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from jobs import sql
from jobs.context import MAX_LOG_CHARS, MAX_LOG_LINES
from jobs.models import AttemptLine
from lib import clock

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `at` is unix seconds."""

    at: float
    level: str
    message: str


def lines_add(job_id: UUID, fence: int, lines: Sequence[Line]) -> None:
    """Keep lines of a running attempt; of all that it has, the latest 200. Repeat: they are there twice."""
    AttemptLine.objects.bulk_create(
        [
            AttemptLine(
                job_id=job_id,
                fence=fence,
                at=datetime.fromtimestamp(line.at, UTC),
                level=line.level,
                message=line.message[:MAX_LOG_CHARS],
            )
            for line in lines[-MAX_LOG_LINES:]
        ]
    )
    sql.run(
        """DELETE FROM jobs_attemptline WHERE id IN (
            SELECT id FROM jobs_attemptline WHERE job_id = %s AND fence = %s
            ORDER BY id DESC OFFSET %s)""",
        [job_id, fence, MAX_LOG_LINES],
    )


def lines_of(job_id: UUID) -> dict[int, list[Line]]:
    """The lines kept for attempts of a job that have not ended (or never came back), by fence."""
    found: dict[int, list[Line]] = {}
    for fence, at, level, message in (
        AttemptLine.objects.filter(job_id=job_id)
        .order_by("fence", "id")
        .values_list("fence", "at", "level", "message")
    ):
        found.setdefault(fence, []).append(Line(at.timestamp(), level, message))
    return found


def lines_join(kept: Iterable[Line], last: Iterable[Line]) -> list[Line]:
    """All lines of an attempt, the latest 200."""
    return [*kept, *last][-MAX_LOG_LINES:]


def lines_dump(lines: Sequence[Line], metrics: Mapping[str, float] | None = None) -> str | None:
    """Lines as the row of an attempt keeps them, JSON; None: there are none."""
    written: list[dict[str, Any]] = [
        {"at": line.at, "level": line.level, "message": line.message[:MAX_LOG_CHARS]}
        for line in lines
    ]
    if metrics:
        said = ", ".join(f"{name}={value:g}" for name, value in metrics.items())
        written.append(
            {
                "at": clock.now().timestamp(),
                "level": "INFO",
                "message": f"metrics: {said}"[:MAX_LOG_CHARS],
                "metrics": dict(metrics),
            }
        )
    return orjson.dumps(written).decode() if written else None


def lines_forget(*, before: timedelta = KEPT_FOR) -> int:
    """Delete lines whose attempts never came back. Returns how many."""
    deleted, _ = AttemptLine.objects.filter(at__lt=clock.now() - before).delete()
    return deleted
