"""PostgreSQL is the truth, Redis may vanish. Without an address the embedded servers are used."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config import embedded, env
from config.postgres.pooling import PooledConnection
from config.settings.base import DATA_DIR

_DATABASE_URL = env.url("DATABASE_URL", "", ("postgres", "postgresql"))
EMBEDDED_POSTGRES = _DATABASE_URL == ""
DATABASE_URL = _DATABASE_URL or embedded.database_url(DATA_DIR)

_REDIS_URL = env.url("REDIS_URL", "", ("redis", "rediss", "unix"))
EMBEDDED_REDIS = _REDIS_URL == ""
REDIS_URL = _REDIS_URL or embedded.redis_url(DATA_DIR)


# Set by config.serve. A process that forks or has few threads needs no pool.
DATABASE_POOL = env.integer("DATABASE_POOL", 0, least=0, most=200)
# A request that finds no free connection in this time is answered 503.
_POOL: dict[str, Any] = {
    "min_size": 1,
    "max_size": DATABASE_POOL,
    "timeout": 10,
    "max_idle": 60,
    "connection_class": PooledConnection,
}
# Statements that come often are prepared. Off behind a pooler that hands out connections by the
# transaction and does not know prepared statements (PgBouncer before 1.21).
DATABASE_PREPARED = env.boolean("DATABASE_PREPARED", default=True)


def _database(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise env.SettingInvalid("DATABASE_URL", "names no database; it must end in /NAME.")
    return {
        "ENGINE": "config.postgres",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0 if DATABASE_POOL else 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "switchboard",
            "connect_timeout": 10,
            # config.postgres counts and decides by itself; None: nothing is ever prepared.
            "prepare_threshold": 10_000_000 if DATABASE_PREPARED else None,
            **({"pool": _POOL} if DATABASE_POOL else {}),
            **options,
        },
        "TEST": {"NAME": env.text("TEST_DATABASE_NAME", f"test_{name}")},
    }


DATABASES = {"default": _database(DATABASE_URL)}

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.text("REDIS_PREFIX", "switchboard"),
        # A cache that is away is a cache that misses: nothing we cannot lose lives in it.
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 1,
            "SOCKET_TIMEOUT": 1,
        },
    }
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
