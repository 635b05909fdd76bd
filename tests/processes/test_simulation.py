"""A small month of business: real processes, faults, killed workers, and a ledger that balances."""

import os
import subprocess
import sys

import pytest

from tests.processes.site import PROJECT

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def site() -> None:
    """It has a site of its own."""


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "simulate", *words],
        cwd=PROJECT, env=dict(os.environ), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_money_access_and_messages_agree_after_faults_and_kills() -> None:
    done = simulate("--days=1", "--subscribers=80", "--kills=2", "--seed=3", "--workers=1")
    assert done.returncode == 0, done.stdout
    assert "The ledger balances." in done.stdout
    assert "BREAKS" not in done.stdout
    for line in ("activation: applied", "notice expired: queued", "killed at", "fault: "):
        assert line in done.stdout, done.stdout
