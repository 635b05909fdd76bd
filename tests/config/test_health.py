"""Liveness asks nobody; readiness tells apart what stops us from what only slows us."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.db.migrations.recorder import MigrationRecorder
from django.test import AsyncClient, Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from config import health

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import django, json
django.setup()
from django.test import Client
client = Client()
for path in ("/health", "/ready", "/metrics"):
    answer = client.get(path)
    first = answer.content.decode().splitlines()[0]
    print(json.dumps([path, answer.status_code, first]))
"""


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has not looked at the migrations yet."""
    monkeypatch.setattr(health, "_migrated", False)


def test_liveness_asks_nobody(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, redis_away: None
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_readiness_sees_postgres_migrations_and_redis(client: Client, forgetful: None) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "postgres": "ok",
        "migrations": "applied",
        "redis": "ok",
    }


def test_readiness_reads_the_migrations_once(
    client: Client, forgetful: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/ready")
    with django_assert_num_queries(1):
        client.get("/ready")


def test_a_missing_redis_degrades_but_serves(client: Client, redis_away: None) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["redis"]) == ("degraded", "away")


def test_a_pending_migration_keeps_requests_away(client: Client, forgetful: None) -> None:
    MigrationRecorder.Migration.objects.filter(app="config", name="0002_groups").delete()
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["migrations"] == "pending"


@pytest.mark.process
def test_a_missing_postgres_keeps_requests_away_but_the_process_alive(
    tmp_path: Path, closed_port: int
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATA_DIR": str(tmp_path),
            "LOG_LEVEL": "CRITICAL",
            "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{closed_port}/nothing",
            "REDIS_URL": f"redis://127.0.0.1:{closed_port}/0",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answers = {
        path: (status, text) for path, status, text in map(json.loads, ran.stdout.splitlines())
    }
    assert answers["/health"][0] == 200
    assert answers["/ready"] == (
        503,
        '{"status":"unavailable","postgres":"away","migrations":"unknown","redis":"away"}',
    )
    assert answers["/metrics"][0] == 200


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_a_probe_comes_by_address_and_without_tls(
    client: Client, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["console.example"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_answer_under_asgi(async_client: AsyncClient, path: str) -> None:
    assert async_to_sync(async_client.get)(path).status_code == 200
