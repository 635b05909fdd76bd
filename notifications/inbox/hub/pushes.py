"""Which screens a notification reached, so that a recall can say how many have seen it."""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

EVERY_S = 0.1

Pushed = tuple[str, float, str]  # (notification id, when in unix ms, client ids with commas)


def pushes_write(pushes: Sequence[Pushed]) -> None:
    """Note what reached whom. A crash of the machine may forget the last moment of it.

    The columns travel as one text each: to write out lists would keep the event loop waiting.
    """
    notification_ids, moments, devices = zip(*pushes, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            "INSERT INTO inbox_push (notification_id, pod_id, at, devices)"
            " SELECT nid::uuid, %s, to_timestamp(ms::float8 / 1000), string_to_array(devices, ',')"
            " FROM unnest(string_to_array(%s, ' '), string_to_array(%s, ' '),"
            " string_to_array(%s, ' ')) AS t (nid, ms, devices)",
            [
                settings.POD_ID,
                " ".join(notification_ids),
                " ".join([str(moment) for moment in moments]),
                " ".join(devices),
            ],
        )
