"""`.ci/program`: takes what is there, installs by apt if it may, and else says what is missing."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

PROGRAM = Path(__file__).resolve().parents[2] / ".ci" / "program"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A machine whose only programs are those that a test puts there."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def ask(user: str, **scripts: str) -> subprocess.CompletedProcess[str]:
        for name, script in {"id": f"echo {user}", **scripts}.items():
            path = programs / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        return subprocess.run(
            ["/bin/sh", str(PROGRAM), "chromium", "chromium"],
            env={"PATH": str(programs), "CALLS": str(tmp_path / "calls"), "LANG": "C"},
            capture_output=True,
            text=True,
            check=False,
            cwd=os.sep,
        )

    return ask


Machine = Callable[..., subprocess.CompletedProcess[str]]
CALLED = 'echo "$0 $*" >> "$CALLS"'


def calls(tmp_path: Path) -> list[str]:
    path = tmp_path / "calls"
    return (
        [line.rpartition("/")[2] for line in path.read_text().splitlines()] if path.exists() else []
    )


def test_what_is_there_is_taken(machine: Machine, tmp_path: Path) -> None:
    assert machine("1000", chromium="exit 0", apt_get=CALLED).returncode == 0
    assert calls(tmp_path) == []


def test_root_installs_it(machine: Machine, tmp_path: Path) -> None:
    assert machine("0", apt_get=CALLED).returncode == 0
    assert calls(tmp_path) == ["apt-get install -y -qq --no-install-recommends chromium"]


def test_lists_are_renewed_when_the_package_is_not_known(machine: Machine, tmp_path: Path) -> None:
    script = (
        f'{CALLED}; [ "$1" = update ] && : > "$CALLS.new"; [ "$1" = update ] || [ -e "$CALLS.new" ]'
    )
    assert machine("0", apt_get=script).returncode == 0
    assert [call.split()[1] for call in calls(tmp_path)] == ["install", "update", "install"]


def test_an_ordinary_user_with_sudo_installs_it(machine: Machine, tmp_path: Path) -> None:
    ran = machine("1000", sudo='shift; [ "$1" = true ] || exec "$@"', apt_get=CALLED)
    assert ran.returncode == 0
    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize(
    ("user", "scripts"),
    [("1000", {"apt_get": CALLED, "sudo": "exit 1"}), ("1000", {"apt_get": CALLED}), ("0", {})],
    ids=["no right to sudo", "no sudo", "no apt"],
)
def test_who_may_not_install_is_told_what_to_install(
    machine: Machine, tmp_path: Path, user: str, scripts: dict[str, str]
) -> None:
    ran = machine(user, **scripts)
    assert ran.returncode == 1
    assert "install the package chromium" in ran.stderr
    assert calls(tmp_path) == []
