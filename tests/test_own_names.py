"""Each worker of xdist has names of its own on the servers that all of them share."""

import os

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.unit
def test_the_keys_of_redis_carry_the_name_of_the_worker() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    assert settings.CACHES["default"]["KEY_PREFIX"] == f"test-{worker}"


@pytest.mark.django_db
def test_the_database_carries_the_name_of_the_worker() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    assert str(connection.settings_dict["NAME"]).endswith(worker)
