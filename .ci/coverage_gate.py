"""How much of the code the tests ran, held against [tool.switchboard.coverage] of pyproject.toml."""

import json
import os
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from coverage import Coverage

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """1 if lines or branches are below what is asked for."""
    os.chdir(ROOT)
    measured = Coverage()
    measured.load()
    measured.report(skip_covered=True, show_missing=True)
    with TemporaryDirectory() as scratch:
        report = Path(scratch) / "coverage.json"
        measured.json_report(outfile=str(report))
        totals = json.loads(report.read_text())["totals"]
    found = {
        "lines": 100 * totals["covered_lines"] / totals["num_statements"],
        "branches": 100 * totals["covered_branches"] / totals["num_branches"],
    }
    wanted = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["switchboard"]["coverage"]
    for name, least in wanted.items():
        verdict = "enough" if found[name] >= least else "too little"
        print(f"{name}: {found[name]:.1f} % of {least} %, {verdict}")
    return 0 if all(found[name] >= least for name, least in wanted.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
