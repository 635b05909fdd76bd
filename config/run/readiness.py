"""Whether the processes of `make run` answer."""

import json
from http.client import HTTPException
from urllib.request import urlopen

import psycopg

PATIENCE_S = 2.0


def is_web_ready(url: str) -> bool:
    """Whether /ready says yes."""
    try:
        with urlopen(f"{url}/ready", timeout=PATIENCE_S) as answer:  # noqa: S310 - ours
            return json.load(answer)["status"] in {"ready", "degraded"}
    except (HTTPException, OSError, ValueError):
        return False


def worker_ids(database_url: str) -> set[str]:
    """The worker processes that have ever told that they run, by ids that are new at each start."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT id FROM jobs_worker WHERE NOT is_external")
        return {row[0] for row in rows}
