"""`python -m config.run.prepare`: what must be done before the processes of `make run` start.

Migrates, makes the admin login, plays the demo. The last line of its output is JSON for make run:
{"login": sentence}.
"""

import json
import sys
from io import StringIO

import django
from django.apps import apps
from django.core.management import call_command

from config.run.plan import DEMO_APP
from config.start import start


def main() -> None:
    """Safe to repeat."""
    start(servers=True)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    login = StringIO()
    call_command("ensure_admin", stdout=login)
    if apps.is_installed(DEMO_APP):
        call_command("demo", *sys.argv[1:])
    print(json.dumps({"login": login.getvalue().strip()}))


if __name__ == "__main__":
    main()
