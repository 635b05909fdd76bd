"""Programs of Debian packages that the files of deploy/ are checked by."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def program(package: str, name: str) -> str:
    """Where it is; fetched and unpacked (never installed) if this machine has none."""
    ran = subprocess.run(
        [ROOT / ".ci" / "unpacked", package, name],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def asked(package: str, name: str, *arguments: str | Path) -> tuple[int, str]:
    """(status, what it said) of a run from the root of the project."""
    ran = subprocess.run(
        [program(package, name), *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server of Prometheus or Alertmanager, until the block ends. log: where it says what is wrong."""
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--log.level=warn"], stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
