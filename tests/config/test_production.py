"""Production, with the environment that docs/operations.md asks for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.process
def test_check_deploy_is_clean_in_production(tmp_path: Path) -> None:
    (tmp_path / "staticfiles.json").write_text('{"paths": {}, "version": "1.1", "hash": ""}')
    ran = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
            "DEBUG": "0",
            "SECRET_KEY": "q8Zr3vW1-xT6yB0nM5_kJ7hG2fD4sA9pLcEuIoRtYwXzVbNm7890-kqPdSe",
            "ALLOWED_HOSTS": "console.example",
            "SITE_URL": "https://console.example",
            "DATABASE_URL": "postgresql://app@db.example/switchboard",
            "REDIS_URL": "redis://redis.example/0",
            "DATA_DIR": str(tmp_path / "data"),
            "STATIC_ROOT": str(tmp_path),
            "TELEGRAM_BOT_TOKEN": "123:abc",
            "ADMIN_TELEGRAM_IDS": "7",
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "no issues" in ran.stdout
