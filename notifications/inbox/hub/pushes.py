"""Which screens a notification reached, so that a recall can say how many have seen it."""

from collections.abc import Sequence

from django.conf import settings
from django.db import connection, transaction

EVERY_S = 0.1

Pushed = tuple[str, float, list[str]]  # (notification id, when in unix ms, client ids)


def pushes_write(pushes: Sequence[Pushed]) -> None:
    """Note what reached whom. A crash of the machine may forget the last moment of it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            "INSERT INTO inbox_push (notification_id, pod_id, at, devices)"
            " SELECT nid, %s, to_timestamp(ms / 1000), string_to_array(devices, ',')"
            " FROM unnest(%s::uuid[], %s::float8[], %s::text[]) AS t (nid, ms, devices)",
            [
                settings.POD_ID,
                [notification_id for notification_id, _, _ in pushes],
                [ms for _, ms, _ in pushes],
                [",".join(devices) for _, _, devices in pushes],
            ],
        )
