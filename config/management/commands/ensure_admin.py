"""The first superuser, so that somebody can log in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.accounts import admin_ensure


class Command(BaseCommand):
    help = (
        "Make the superuser if it does not exist, and print its login. Safe to repeat. "
        "Without --password-file a password is made up; with DEBUG it is kept in "
        "DATA_DIR/admin_password (mode 0600) and printed each time, else it is printed once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--username", default="admin")
        parser.add_argument("--password-file", type=Path, help="holds the password; blanks are cut")

    def handle(self, *_: Any, **options: Any) -> None:
        given = _read(options["password_file"])
        login = admin_ensure(
            username=options["username"],
            password=given,
            kept_in=settings.DATA_DIR / "admin_password" if settings.DEBUG and not given else None,
        )
        if given or login.password is None:
            made = "was made" if login.is_new else "exists"
            self.stdout.write(f"Admin {login.username} {made}; its password is known to its owner.")
        else:
            self.stdout.write(f"Admin login: {login.username} / {login.password}")


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        password = path.read_text().strip()
    except OSError as exc:
        raise CommandError(f"{path} cannot be read: {exc.strerror}.") from None
    if not password:
        raise CommandError(f"{path} is empty.")
    return password
