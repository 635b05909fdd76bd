"""End a token before its time."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.accounts import account_tokens_revoke, token_revoke
from lib.errors import DomainError


class Command(BaseCommand):
    help = "End the token that begins with PREFIX, or all tokens of an account; at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("prefix", nargs="?", help="the first 8 to 15 characters of the token")
        which.add_argument("--account", help="end all tokens of this account")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            if options["account"]:
                ended = account_tokens_revoke(name=options["account"])
            else:
                ended = token_revoke(prefix=options["prefix"])
        except DomainError as exc:
            raise CommandError(str(exc)) from None
        self.stdout.write(f"{ended} revoked")
