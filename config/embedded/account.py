"""As whom the servers run, and the directories that this user must reach.

PostgreSQL refuses to run as root. Started by root, both servers run as `nobody`, or as the owner of
data that is already there; started by anybody else, they run as that user.
"""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import ServersUnavailable
from config.embedded.layout import Layout

ROOT = 0
# Prints the first of its arguments that the caller may not enter or run: the kernel's own answer,
# which knows access lists and mounts that mode bits do not show.
FIRST_CLOSED = 'for path; do test -x "$path" || { printf %s "$path"; exit; }; done'


@dataclass(frozen=True)
class Account:
    """The user of the servers. is_switched: not the user of this process, which then is root."""

    name: str
    uid: int
    gid: int
    is_switched: bool

    def start_arguments(self) -> dict[str, Any]:
        """What subprocess needs to start a program as this user."""
        if not self.is_switched:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def first_closed(self, path: Path) -> Path | None:
        """Return the first of path and its parents, from the top, that this user may not enter."""
        if not self.is_switched:
            return None
        steps = [str(step) for step in [*reversed(path.parents), path]]
        closed = self.run(["/bin/sh", "-c", FIRST_CLOSED, "sh", *steps])
        return Path(closed) if closed else None

    def run(self, command: list[str], statements: str = "") -> str:
        """Run command as this user and return what it printed. Raises ServersUnavailable."""
        done = subprocess.run(  # noqa: S603 programs of ours or of the wheels
            command,
            check=False,
            cwd=os.sep,  # ours may be closed to this user
            env=program_environment(),
            input=statements,
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            text=True,
            **self.start_arguments(),
        )
        if done.returncode != 0:
            raise ServersUnavailable(f"{command[0]} failed: {done.stdout.strip()}")
        printed: str = done.stdout
        return printed


def program_environment() -> dict[str, str]:
    """What a server sees of our environment, which could carry PGPORT, PGOPTIONS or secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def server_account(layout: Layout) -> Account:
    """Choose the user of the servers. Raises ServersUnavailable when root finds none."""
    if os.geteuid() != ROOT:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid(), is_switched=False)
    for directory in (layout.postgres_data, layout.redis_data):
        if directory.exists() and directory.stat().st_uid != ROOT:
            there = directory.stat()
            return Account(_name_of(there.st_uid), there.st_uid, there.st_gid, is_switched=True)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ServersUnavailable(
            "PostgreSQL does not run as root, and there is no user `nobody` to run it: start this"
            " as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from None
    return Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid, is_switched=True)


def make_home(layout: Layout) -> None:
    """Create DATA_DIR and its `embedded` directory. Raises ServersUnavailable. Safe to repeat."""
    is_new = not layout.data_dir.exists()
    try:
        layout.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == ROOT:
            # The servers' user passes through both. A DATA_DIR that somebody closed stays closed.
            layout.home.chmod(0o711)
            if is_new:
                layout.data_dir.chmod(0o755)
    except OSError as exc:
        raise ServersUnavailable(
            f"Cannot create {layout.home}: {exc.strerror}."
            " Set DATA_DIR to a directory that you can write to."
        ) from exc
    if not os.access(layout.home, os.W_OK | os.X_OK):
        owner = _name_of(layout.home.stat().st_uid)
        raise ServersUnavailable(
            f"{layout.home} belongs to {owner}: run this as {owner},"
            " or set DATA_DIR to a directory of your own."
        )


def make_directory(path: Path, account: Account) -> None:
    """Create path for the servers' user alone. Safe to repeat, also after a half-done call."""
    path.mkdir(mode=0o700, exist_ok=True)
    if account.is_switched and path.lstat().st_uid == ROOT:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def check_reach(layout: Layout, account: Account) -> None:
    """Raise ServersUnavailable, naming the directory that keeps the servers' user from its data."""
    closed = account.first_closed(layout.home)
    if closed is not None:
        raise ServersUnavailable(
            f"PostgreSQL does not run as root, and the user {account.name} that runs it cannot"
            f" enter {closed}: start this as an ordinary user, or set DATA_DIR to a directory"
            f" that {account.name} can reach, such as /var/lib/switchboard."
        )


def check_sockets(layout: Layout) -> None:
    """Raise ServersUnavailable if the socket directory, in a place open to all, is a stranger's."""
    if layout.sockets.is_relative_to(layout.home):
        return
    try:
        found = layout.sockets.lstat()
    except FileNotFoundError:
        return
    owners = {ROOT, os.geteuid(), server_account(layout).uid}
    if found.st_uid in owners and stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o022:
        return
    raise ServersUnavailable(
        f"{layout.sockets} is not ours: remove it, or set DATA_DIR to a shorter path."
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
