"""The first step of every process: one sentence when it cannot be taken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.start import needs_servers

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """manage.py in a process of its own, with nothing of ours in its environment but what is given."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PORT": "many"}, "PORT"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"API_RATE": "lots"}, "API_RATE"),
        ({"METRICS_ALLOWED": "all"}, "METRICS_ALLOWED"),
        ({"DEBUG": "0"}, "SECRET_KEY"),
        ({"DEBUG": "0", "SECRET_KEY": "k" * 40}, "ALLOWED_HOSTS"),
        ({"DEBUG": "0", "OPEN_IDENTITY": "1"}, "OPEN_IDENTITY"),
        ({"DEBUG": "0", "CLOCK_OFFSET_SECONDS": "60"}, "CLOCK_OFFSET_SECONDS"),
        ({"DEBUG": "0", "CLOCK_FILE": "clock"}, "CLOCK_FILE"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_no_traceback(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    ran = run("check", DATA_DIR=str(tmp_path), **variables)
    assert ran.returncode == 2
    assert ran.stderr.startswith(named)
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout == ""


@pytest.mark.process
def test_servers_that_cannot_be_had_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the directory should be")
    ran = run("migrate", DATA_DIR=str(tmp_path / "var"), SECRET_KEY="k" * 40)
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.process
def test_help_starts_no_server(tmp_path: Path) -> None:
    ran = run("help", DATA_DIR=str(tmp_path))
    assert ran.returncode == 0
    assert "create_service_account" in ran.stdout
    assert not (tmp_path / "embedded").exists()


@pytest.mark.unit
@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("", False),
        ("help", False),
        ("migrate --help", False),
        ("check --deploy", False),
        ("check --database default", True),
        ("collectstatic --noinput", False),
        ("spectacular --file schema.yaml", False),
        ("makemigrations --check", True),
        ("migrate", True),
        ("qcluster", True),
    ],
)
def test_servers_start_for_the_commands_that_speak_to_them(line: str, needed: bool) -> None:
    assert needs_servers(line.split()) is needed
