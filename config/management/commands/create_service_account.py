"""A machine's account: what it may do, and a token for it."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.accounts import service_account_create
from lib.errors import DomainError


class Command(BaseCommand):
    help = (
        "Make a service account (or extend one) and print a new token of it, once, on stdout. "
        "What it is about goes to stderr, so that the token can be piped into a secret store."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--permission",
            action="append",
            default=[],
            dest="permissions",
            metavar="APP.CODENAME",
            help="what it may do, for instance jobs.lease_job; may be repeated",
        )
        parser.add_argument("--group", help="for instance Operator")
        parser.add_argument("--days", type=int, default=365, help="how long the token holds")

    def handle(self, *_: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3650:
            raise CommandError("--days must be between 1 and 3650.")
        try:
            issued = service_account_create(
                name=options["name"],
                permissions=options["permissions"],
                group=options["group"],
                lifetime=timedelta(days=options["days"]),
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from None
        self.stderr.write(
            f"Token of {issued.account} until {issued.expires_at:%Y-%m-%d}, not shown again. "
            f"Revoke it: manage.py revoke_token {issued.prefix}",
            self.style.NOTICE,
        )
        self.stdout.write(issued.token)
