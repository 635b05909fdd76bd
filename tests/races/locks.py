"""Who waits for a lock. Other test databases of the same server have waiting sessions too."""

from jobs import sql


def waiting() -> list[int]:
    """The pids of the sessions of this database that wait for a lock."""
    return [
        pid
        for (pid,) in sql.rows(
            """SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND a.datname = current_database()
                AND a.backend_type = 'client backend'"""
        )
    ]
