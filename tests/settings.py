"""The settings of a fresh machine, with servers and names of their own for the tests.

An address in the environment (DATABASE_URL, REDIS_URL) is honoured, as everywhere.
"""

import os
from pathlib import Path

os.environ.setdefault("DATA_DIR", str(Path(__file__).resolve().parent.parent / "var" / "test"))
# Set, not defaulted: workers of xdist inherit the environment of the process that started them, which
# has read these settings before.
os.environ["REDIS_PREFIX"] = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

from config.settings import *  # noqa: F403 - after the names above

OPEN_IDENTITY = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # strength costs time
