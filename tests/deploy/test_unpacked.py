"""`.ci/unpacked`: takes what is there, and else fetches a package without installing it."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "unpacked"
NEEDED = ("dirname", "mkdir", "mktemp", "mv", "rm", "sh", "cat", "chmod", "ln")
DOWNLOAD = """case $1 in
update) : > "$LISTS" ;;
download) [ -e "$LISTS" ] || exit 100; : > promtool.deb ;;
esac"""
UNPACK = 'mkdir -p "$3/usr/bin"; : > "$3/usr/bin/promtool"; chmod +x "$3/usr/bin/promtool"'


def ask(place: Path, **scripts: str) -> subprocess.CompletedProcess[str]:
    """Run it on a machine whose only programs are a few of the shell and those given."""
    programs = place / "bin"
    programs.mkdir(exist_ok=True)
    for name in NEEDED:
        path = next(Path(each, name) for each in ("/bin", "/usr/bin") if Path(each, name).exists())
        if not (programs / name).exists():
            (programs / name).symlink_to(path)
    for name, script in {"id": "echo 0", **scripts}.items():
        path = programs / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), "prometheus", "promtool"],
        env={"PATH": str(programs), "TOOLS": str(place / "tools"), "LISTS": str(place / "lists")},
        capture_output=True, text=True, check=False, cwd=os.sep,
    )  # fmt: skip


def test_what_the_machine_has_is_taken(tmp_path: Path) -> None:
    ran = ask(tmp_path, promtool="exit 0")
    assert ran.stdout.strip() == str(tmp_path / "bin" / "promtool")
    assert not (tmp_path / "tools").exists()


def test_a_package_is_fetched_and_unpacked_once(tmp_path: Path) -> None:
    ran = ask(tmp_path, apt_get=DOWNLOAD, dpkg_deb=UNPACK)
    placed = tmp_path / "tools" / "prometheus" / "usr" / "bin" / "promtool"
    assert ran.stdout.strip() == str(placed), ran.stderr
    assert [each.name for each in (tmp_path / "tools").iterdir()] == ["prometheus"]
    again = ask(tmp_path, apt_get="exit 1", dpkg_deb="exit 1")
    assert again.stdout.strip() == str(placed)


@pytest.mark.parametrize("scripts", [{}, {"apt_get": "exit 100"}], ids=["no apt", "no package"])
def test_who_cannot_fetch_it_is_told_what_to_install(
    tmp_path: Path, scripts: dict[str, str]
) -> None:
    ran = ask(tmp_path, **scripts)
    assert ran.returncode != 0
    assert "install the package" in ran.stderr
