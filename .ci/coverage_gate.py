"""How much of the code the tests ran, held against [tool.switchboard.coverage] of pyproject.toml."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """1 if lines or branches are below what is asked for."""
    report = [sys.executable, "-m", "coverage"]
    subprocess.run([*report, "report", "--skip-covered"], cwd=ROOT, check=True)
    written = subprocess.run(
        [*report, "json", "-o", "-"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    totals = json.loads(written.stdout[written.stdout.index("{") :])["totals"]
    found = {
        "lines": 100 * totals["covered_lines"] / totals["num_statements"],
        "branches": 100 * totals["covered_branches"] / totals["num_branches"],
    }
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["switchboard"]["coverage"]
    short = [name for name, least in wanted.items() if found[name] < least]
    for name, least in wanted.items():
        verdict = "too little" if name in short else "enough"
        print(f"{name}: {found[name]:.1f} % of {least} %, {verdict}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
