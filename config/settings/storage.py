"""PostgreSQL is the truth, Redis may vanish. Without an address the embedded servers are used."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config import embedded, env
from config.settings.base import DATA_DIR

_DATABASE_URL = env.url("DATABASE_URL", "", ("postgres", "postgresql"))
EMBEDDED_POSTGRES = _DATABASE_URL == ""
DATABASE_URL = _DATABASE_URL or embedded.database_url(DATA_DIR)

_REDIS_URL = env.url("REDIS_URL", "", ("redis", "rediss", "unix"))
EMBEDDED_REDIS = _REDIS_URL == ""
REDIS_URL = _REDIS_URL or embedded.redis_url(DATA_DIR)


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
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "switchboard", "connect_timeout": 10, **options},
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
