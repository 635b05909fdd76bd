"""The first step of every process: settings that hold, and servers that answer."""

import os
import sys
from typing import NoReturn

from django.conf import settings

from config import embedded, env

# Commands that read no table, or see to their servers; they must not wait for one to start.
WITHOUT_SERVERS = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "simulate",
        "spectacular",
        "startapp",
        "startproject",
        "version",
    }
)


def start(*, servers: bool) -> None:
    """Load the settings and, if asked, start the embedded servers that no address replaces.

    What a person has to put right is said in one sentence on stderr, and the exit status is 2.
    Safe to repeat: servers that run are left alone.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        data_dir = settings.DATA_DIR
        if servers:
            embedded.ensure(
                data_dir, postgres=settings.EMBEDDED_POSTGRES, redis=settings.EMBEDDED_REDIS
            )
    except (env.SettingInvalid, embedded.ServersUnavailable) as exc:
        _refuse(str(exc))


def needs_servers(arguments: list[str]) -> bool:
    """Whether a command line (without the program) speaks to the database or Redis."""
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    if arguments[0] == "check":
        return any(argument.startswith("--database") for argument in arguments)
    return arguments[0] not in WITHOUT_SERVERS


def _refuse(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise SystemExit(2)
