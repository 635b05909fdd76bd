"""Node's packages for the bare `ws` server, in a folder of their own (var/bench-node)."""

import json
import shutil
import subprocess
from pathlib import Path

from benchmarks.bench_venv import ROOT

HOME = ROOT / "var" / "bench-node"
SOURCE = ROOT / "benchmarks" / "peers" / "node_ws"


class NodeMissing(RuntimeError):
    """This machine has no Node, or cannot get its packages."""


def node_folder(home: Path = HOME) -> Path:
    """The folder with server.js and its packages, installed if package.json has changed since.

    Raises NodeMissing, with npm's words when something cannot be installed.
    """
    lacking = [program for program in ("node", "npm") if shutil.which(program) is None]
    if lacking:
        raise NodeMissing(f"{' and '.join(lacking)} not found on PATH")
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
            words = " ".join(npm.stderr.split())[-300:]
            raise NodeMissing(f"npm could not install its packages: {words}")
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
