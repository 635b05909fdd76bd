"""The virtual environment of the peers, apart from ours, so that their pins never meet ours."""

import hashlib
import importlib.metadata
import subprocess
import sys
import venv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import BenchFailed

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
HOME = ROOT / "var" / "bench-venv"


@dataclass(frozen=True, slots=True)
class BenchVenv:
    """An environment with everything of benchmarks/requirements.txt."""

    home: Path

    def command(self, name: str) -> Path:
        """The path of a program that a package installed."""
        return self.home / "bin" / name

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """Package to installed version."""
        major, minor = sys.version_info[:2]
        site = self.home / "lib" / f"python{major}.{minor}" / "site-packages"
        installed = {
            found.metadata["Name"].lower(): found.version
            for found in importlib.metadata.distributions(path=[str(site)])
        }
        return {package: installed[package.lower()] for package in packages}


def bench_venv(home: Path = HOME) -> BenchVenv:
    """Make the environment, or take it as it is if the requirements have not changed since.

    Raises BenchFailed with pip's words when something cannot be installed.
    """
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    stamp = home / "requirements.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing the peers into {home.relative_to(ROOT)} ...", flush=True)
        venv.create(home, clear=True, with_pip=True)
        pip = subprocess.run(
            [
                *(home / "bin" / "python", "-m", "pip", "install", "--quiet"),
                *("--disable-pip-version-check", "--requirement", REQUIREMENTS),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if pip.returncode:
            raise BenchFailed(f"pip could not install the peers:\n{pip.stderr}")
        stamp.write_text(wanted)
    return BenchVenv(home)
