"""The platform's own jobs: a no-op for benches and demos, an example for outside workers, its upkeep."""

from typing import Any

from jobs import third_party
from jobs.history import days_drop, days_prepare
from jobs.idempotency import answers_forget
from jobs.ladders import CLEANUP, Delays
from jobs.leftovers import leftovers_drop
from jobs.registry import job
from jobs.remote.lines import lines_forget
from jobs.stats import fold
from jobs.workers import workers_forget

__all__ = ["third_party"]


@job("jobs.noop", retry=Delays("1s 2s 4s 8s 16s"))
def noop(n: int = 0) -> None:
    """Do nothing; used by benches and demos."""


@job("external.echo", queue="external", retry=Delays("30s 1m 5m"), timeout="10m")
def echo(message: Any = None) -> Any:
    """Example of a kind that only outside workers run, over REST: they answer with the message."""
    return message


@job("jobs.keep_history", queue="maintenance", cron="20 * * * *", immediate=True, retry=CLEANUP)
def keep_history() -> dict[str, Any]:
    """Make the next days of the history and drop the old ones; forget what has served."""
    days_prepare()
    return {
        "dropped": days_drop(),
        "workers_forgotten": workers_forget(),
        "leftovers": leftovers_drop(),
    }


@job("jobs.forget_requests", queue="maintenance", every="1h", retry=CLEANUP)
def forget_requests() -> dict[str, int]:
    """Forget answers that were kept for repeated requests, and lines of attempts that never came back."""
    return {"answers": answers_forget(), "lines": lines_forget()}


@job("jobs.fold_stats", queue="maintenance", every="1m", retry=CLEANUP)
def fold_stats() -> dict[str, int]:
    """Add up the counts of earlier minutes, so that the table stays small."""
    return {"folded": fold()}
