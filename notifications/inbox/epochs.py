"""The epoch: says whether positions that a client was told still lead anywhere."""

from jobs import sql
from lib.ids import uuid7

_SET = "INSERT INTO inbox_epoch (id, epoch) VALUES (1, %s) ON CONFLICT (id) DO"


def epoch_ensure() -> None:
    """Make the epoch of a new database. Repeat: leaves the one that is there."""
    sql.run(f"{_SET} NOTHING", [uuid7().hex])


def epoch_renew() -> str:
    """Begin a new epoch after history was lost: every client starts from a full sync. Returns it."""
    epoch = uuid7().hex
    sql.run(f"{_SET} UPDATE SET epoch = EXCLUDED.epoch", [epoch])
    return epoch
