"""`manage.py inbox_new_epoch`: after a backup was restored, let every client start from a full sync."""

from typing import Any

from django.core.management.base import BaseCommand
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from notifications.inbox import keys
from notifications.inbox.epochs import epoch_renew


class Command(BaseCommand):
    help = (
        "Begins a new epoch of the inbox. Run it after an older state of the database was restored: "
        "positions that clients remember lead nowhere then, so all of them get a full sync."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = epoch_renew()
        self.stdout.write(f"epoch {epoch}")
        try:
            get_redis_connection("default").publish(keys.CONTROL, "epoch")
        except RedisError as exc:
            self.stderr.write(
                f"Redis is away ({type(exc).__name__}): restart the web processes, so that people who "
                "are connected start anew, too."
            )
