#!/usr/bin/env python
"""Every command of the project: `python manage.py help` lists them."""

import sys

from django.core.management import execute_from_command_line

from config.start import needs_servers, start


def main() -> None:
    """Run the command line; servers that it needs are running by then."""
    start(servers=needs_servers(sys.argv[1:]))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
