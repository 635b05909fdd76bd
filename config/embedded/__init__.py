"""PostgreSQL 18 and Redis under DATA_DIR, used where DATABASE_URL or REDIS_URL is not set.

The binaries come from wheels, the servers belong to one keeper process per DATA_DIR, and they live
as long as some process that called `ensure` does. `client.py` is the door, `keeper.py` the owner.
"""

from config.embedded.client import (
    Status,
    ensure,
    psql_command,
    restart_postgres,
    start_redis,
    status,
    stop,
    stop_redis,
)
from config.embedded.errors import ServersUnavailable
from config.embedded.layout import database_url, redis_url

__all__ = [
    "ServersUnavailable",
    "Status",
    "database_url",
    "ensure",
    "psql_command",
    "redis_url",
    "restart_postgres",
    "start_redis",
    "status",
    "stop",
    "stop_redis",
]
