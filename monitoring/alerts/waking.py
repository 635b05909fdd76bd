"""Having alerts told soon, without a lock that all who raise alerts would wait for."""

from jobs import sql

TELL = "alerts.tell"


def tell_soon() -> None:
    """Ask for the job that tells, once the caller's transaction is committed.

    A NOTIFY, like that of the Telegram queue: what is to be told stands in the rows (tell_at), so a
    call that nobody hears costs half a minute (the job also comes by itself) and loses nothing.
    """
    sql.run("SELECT pg_notify('jobs_wake', %s)", [TELL])
