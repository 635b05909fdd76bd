"""What `make run` decides before it starts anything: which processes, on which ports, with what."""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from config import env
from config.run.database import is_used
from config.run.outside import CLOCK, environment_of, environment_of_sandbox, without_address
from config.run.procfile import read_procfile

HERE = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]
SANDBOX_AFTER = 81  # 8000 and 8081
DEMO_APP = "config.demo"
DEMO_QUEUES = ("demo", "demo-imports")
PREPARE = "python -m config.run.prepare"


class PortTaken(Exception):
    """Somebody else listens on the port."""


@dataclass(frozen=True)
class Plan:
    """commands: lines of the Procfile by name, in their order. played: the outside services that the
    sandbox plays; sandbox_url is None if all of them are real."""

    url: str
    sandbox_url: str | None
    played: frozenset[str]
    prepare: str
    note: str  # worth saying before anything starts; often empty
    commands: dict[str, str]
    environments: dict[str, dict[str, str]]


def make_plan() -> Plan:
    """Read the environment and choose. Raises PortTaken, SettingInvalid."""
    port = settings.PORT or _free_port()
    if not _is_free(port):
        raise PortTaken(
            f"Port {port} of {HERE} is taken: stop what listens there, or choose another one:"
            f" make run PORT={port + 1}."
        )
    url = f"http://{HERE}:{port}"
    has_demo, note = _demo()
    commands = read_procfile(ROOT / "Procfile")
    common = {**os.environ, **_defaults(url, has_demo=has_demo)}
    sandbox_port, sandbox_url = None, None
    played = without_address()
    if played:
        sandbox_port = port + SANDBOX_AFTER
        if not _is_free(sandbox_port):
            sandbox_port = _free_port()
        sandbox_url = f"http://{HERE}:{sandbox_port}"
        chosen = environment_of(played, sandbox_url)
        common |= chosen
        for name in chosen:
            common.pop(f"{name}_FILE", None)
        if settings.DEBUG and not os.environ.get("CLOCK_FILE"):
            common |= {"CLOCK_FILE": str(settings.DATA_DIR / CLOCK), "SANDBOX_URL": sandbox_url}
    else:
        del commands["sandbox"]
    own = {
        "web": {"PORT": str(port), "POD_ID": os.environ.get("POD_ID", "web")},
        "worker": {"POD_ID": os.environ.get("POD_ID", "worker")},
        "files": {"POD_ID": os.environ.get("POD_ID", "files")},
        "sandbox": {
            "PORT": str(sandbox_port),
            **environment_of_sandbox(
                url, common.get("REMNAWAVE_WEBHOOK_SECRET", ""), settings.DATA_DIR
            ),
        },
    }
    return Plan(
        url=url,
        sandbox_url=sandbox_url,
        played=frozenset(each.name for each in played),
        prepare=" ".join([PREPARE, *(f"--sandbox={each.name}" for each in played)]),
        note=note,
        commands=commands,
        environments={name: {**common, **own.get(name, {})} for name in (*commands, "prepare")},
    )


def _demo() -> tuple[bool, str]:
    """Whether there is a demo, and why not if somebody might wonder.

    Its kinds and schedules live in the database: one that others use is left alone unless asked for.
    """
    if not env.boolean("DEMO", default=True) or not settings.DEBUG:
        return False, ""
    is_asked_for = bool(os.environ.get("DEMO"))
    if settings.EMBEDDED_POSTGRES or is_asked_for or not is_used(settings.DATABASE_URL):
        return True, ""
    return False, "DATABASE_URL has rows of others, so there is no demo; DEMO=1 makes it anyway."


def _defaults(url: str, *, has_demo: bool) -> dict[str, str]:
    """What is different from a bare start of the processes, unless somebody has set it."""
    chosen = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "SITE_URL": url,
        "OPEN_IDENTITY": "1" if settings.DEBUG else "0",
    }
    free = {name: value for name, value in chosen.items() if not os.environ.get(name)}
    programs = str(Path(sys.executable).parent)
    free["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    if has_demo:
        others = [app for app in os.environ.get("SWITCHBOARD_EXTRA_APPS", "").split(",") if app]
        if not os.environ.get("WEBHOOK_PRIVATE_NETWORKS"):
            free["WEBHOOK_PRIVATE_NETWORKS"] = f"{HERE}/32"  # the receiver of the demo
        free["SWITCHBOARD_EXTRA_APPS"] = ",".join([*others, DEMO_APP])
        free["WORKER_QUEUES"] = ",".join([*settings.JOBS["queues"], *DEMO_QUEUES])
    return free


def _is_free(port: int) -> bool:
    if not 0 < port < 65536:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((HERE, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])
