"""`python -m config.run.psql`: SQL in our database, by the psql of this machine or of the wheel."""

import os
from contextlib import suppress

import django
from django.core.management import call_command

from config.embedded import ServersUnavailable
from config.embedded.programs import postgres_programs
from config.start import start


def main() -> None:
    """Stay until the shell ends, so that the servers do, too."""
    start(servers=True)
    with suppress(ServersUnavailable):  # no wheel here: psql may still be on the PATH
        programs = str(postgres_programs())
        os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), programs])
    django.setup()
    call_command("dbshell")


if __name__ == "__main__":
    main()
