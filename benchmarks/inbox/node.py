"""Node's packages for the bare `ws` server, in a folder of their own (var/bench-node)."""

import json
import shutil
import subprocess
from pathlib import Path

from benchmarks.bench_venv import ROOT
from benchmarks.processes import BenchFailed

HOME = ROOT / "var" / "bench-node"
SOURCE = ROOT / "benchmarks" / "peers" / "node_ws"


def node_missing() -> str:
    """What this machine lacks for the Node server, in words; "" if it has everything."""
    lacking = [program for program in ("node", "npm") if shutil.which(program) is None]
    return f"{' and '.join(lacking)} not found on PATH" if lacking else ""


def node_folder(home: Path = HOME) -> Path:
    """The folder with server.js and its packages, installed if package.json has changed since.

    Raises BenchFailed with npm's words when something cannot be installed.
    """
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(SOURCE / "server.js", home)
    wanted = (SOURCE / "package.json").read_text()
    stamp = home / "installed.json"
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing the packages of Node into {home.relative_to(ROOT)} ...", flush=True)
        shutil.copy(SOURCE / "package.json", home)
        npm = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
            cwd=home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if npm.returncode:
            raise BenchFailed(f"npm could not install the peers:\n{npm.stderr}")
        stamp.write_text(wanted)
    return home


def node_versions(home: Path = HOME) -> dict[str, str]:
    """Package to version, and Node's own."""
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    found = {"node": said.stdout.strip().removeprefix("v")}
    for package in ("ws", "redis"):
        content = (home / "node_modules" / package / "package.json").read_text()
        found[package] = str(json.loads(content)["version"])
    return found
