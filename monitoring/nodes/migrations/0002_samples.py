"""Samples of servers, a partition for each day (lib.partitions makes one)."""

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

UP = """
CREATE TABLE node_sample (
    id bigint GENERATED ALWAYS AS IDENTITY,
    node_id uuid NOT NULL,
    at timestamptz NOT NULL,
    day_bytes bigint,
    bytes bigint CHECK (bytes >= 0),
    seconds double precision,
    rx_bytes_per_s double precision,
    tx_bytes_per_s double precision,
    users_online integer NOT NULL,
    load_1m double precision,
    memory_used_bytes bigint,
    PRIMARY KEY (at, id),
    UNIQUE (node_id, at)
) PARTITION BY RANGE (at);
CREATE TABLE node_sample_other PARTITION OF node_sample DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("nodes", "0001_tables")]
    operations: ClassVar[list[Operation]] = [
        migrations.RunSQL(UP, "DROP TABLE node_sample"),
    ]
