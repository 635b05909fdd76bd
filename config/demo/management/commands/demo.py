"""Something to look at: a day of jobs and messages, as a shop would have them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from config.demo.alerts import alerts_make
from config.demo.broadcasts import broadcasts_make
from config.demo.conversations import conversations_make
from config.demo.files import files_make
from config.demo.hooks import hooks_make
from config.demo.past import past_play
from config.demo.present import colleague, present_make
from config.demo.reports import statistics_make
from config.demo.servers import servers_make
from config.demo.shop import shop_make
from config.demo.telegram import chats_set_up, messages_make
from jobs.models import JobStat


class Command(BaseCommand):
    help = (
        "Fill the database with jobs, schedules and Telegram messages to look at, once. Messages "
        "are made only for the sandbox."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sandbox",
            action="append",
            default=[],
            choices=["telegram", "remnawave", "cryptopay"],
            help="this outside service is played by the sandbox (may be given several times)",
        )

    def handle(self, *_: Any, sandbox: list[str], **__: Any) -> None:
        has_telegram = "telegram" in sandbox
        if has_telegram:
            chats_set_up()
        if JobStat.objects.filter(kind__startswith="demo.").exists():
            self.stdout.write("The demo was played before.")
            return
        tries = past_play()
        with transaction.atomic():
            present_make()
            olga, anna = colleague("olga", "Operator"), colleague("anna", "Admin")
            if has_telegram:
                hooks_make(anna, olga)  # first, so that they hear of the rest
            conversations_make()
            alerts_make(anna, olga)
            if has_telegram:
                messages_make(olga)
                broadcasts_make(olga)
                files_make(anna)
        if {"remnawave", "cryptopay"} <= set(sandbox):
            shop_make()  # it asks the panel, so in no transaction
        if "remnawave" in sandbox:
            servers_make()
        if {"remnawave", "cryptopay"} <= set(sandbox):
            statistics_make()
        self.stdout.write(f"The demo is made: {tries} tries of jobs, a day of messages.")
