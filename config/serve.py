"""`python -m config.serve`: the web process, HTTP on LISTEN_HOST:PORT by uvicorn and uvloop.

One process is one pod: run more of them with a POD_ID each rather than one with many children.
"""

import os

import uvicorn
from django.conf import settings

from config.start import start

DATABASE_POOL = "20"  # connections; each request has a thread, and must not have one of its own
STOP_S = 10  # requests that are open at SIGTERM may take this long


def main() -> None:
    """Serve until SIGTERM or SIGINT. Status 2 and a sentence if a setting is wrong."""
    os.environ.setdefault("DATABASE_POOL", DATABASE_POOL)
    start(servers=True)
    uvicorn.run(
        "config.asgi:application",
        host=os.environ.get("LISTEN_HOST", "127.0.0.1"),
        port=settings.PORT,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_config=None,  # ours, by LOGGING
        access_log=False,  # counted by django-prometheus; a line per request helps nobody
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )


if __name__ == "__main__":
    main()
