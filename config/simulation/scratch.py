"""A place of its own for a simulation: a scratch DATA_DIR with a database, and a clock file."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

from config import embedded
from config.simulation.options import Options
from config.simulation.processes import ROOT, SITE

CLOCK = "clock"
_FOREIGN = ("_URL", "_FILE", "_TOKEN", "_SECRET")


def run_in_scratch(options: Options, *, keep: bool) -> int:
    """Run the month in a child with a DATA_DIR of its own. Returns its exit status.

    Nothing of it stays, unless keep is set or it failed to begin with: then the place is told.
    """
    folder = Path(tempfile.mkdtemp(prefix="switchboard-simulation-"))
    folder.chmod(0o755)  # the servers of root are not root
    environment = {name: value for name, value in os.environ.items() if not name.endswith(_FOREIGN)}
    environment |= SITE | {
        "DATA_DIR": str(folder / "var"),
        "CLOCK_FILE": str(folder / CLOCK),
        "CLOCK_OFFSET_SECONDS": "0",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # Postgres itself is not killed here, so nobody needs to wait for the disk.
        "PGOPTIONS": "-c synchronous_commit=off",
    }
    try:
        return _run(options, environment)
    finally:
        embedded.stop(folder / "var")
        if keep:
            print(f"The database and the logs are in {folder}.")
        else:
            shutil.rmtree(folder)


def _run(options: Options, environment: dict[str, str]) -> int:
    embedded.ensure(Path(environment["DATA_DIR"]), postgres=True, redis=True)
    for words in (
        ["migrate", "--verbosity", "0"],
        ["simulate", "--here", *options.arguments()],
    ):
        child = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "manage.py", *words], cwd=ROOT, env=environment
        )
        status = _wait(child)
        if status:
            return status
    return 0


def _wait(child: "subprocess.Popen[bytes]") -> int:
    """Wait for it; whoever ends us ends it first."""

    def pass_on(number: int, _: FrameType | None) -> None:
        child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
