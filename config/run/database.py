"""What `make run` asks the database, before and without Django."""

import psycopg


def is_used(url: str) -> bool:
    """Whether somebody else keeps messages or jobs there. True too if it cannot be asked."""
    try:
        with psycopg.connect(url) as connection:
            made = connection.execute("SELECT to_regclass('notification_queue')").fetchone()
            if made is None or made[0] is None:
                return False
            found = connection.execute(
                "SELECT EXISTS (SELECT FROM notification_queue) AND NOT EXISTS"
                " (SELECT FROM jobs_jobstat WHERE kind LIKE 'demo.%')"
            ).fetchone()
            return bool(found and found[0])
    except psycopg.OperationalError:
        return True


def worker_ids(url: str) -> set[str]:
    """The worker processes that have ever told that they run, by ids that are new at each start."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT id FROM jobs_worker WHERE NOT is_external")
        return {row[0] for row in rows}
