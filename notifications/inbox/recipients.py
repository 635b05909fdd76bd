"""People: from the pair that backends and sockets name to the row of their inbox."""

from collections.abc import Sequence

from jobs import sql
from notifications.inbox.arrays import ints, texts
from notifications.inbox.shapes import Target


def recipients_find(pairs: Sequence[Target]) -> dict[Target, int]:
    """The ids of people, by (user_id, login). Who is new is made; one statement for many.

    Repeat: finds the same ids. A login has 1 to 150 characters (drafts.login_check).
    """
    targets = list(dict.fromkeys(pairs))
    if not targets:
        return {}
    found = sql.row(
        "SELECT inbox_recipients(%s::bigint[], %s::text[])",
        [ints(user_id for user_id, _ in targets), texts([login for _, login in targets])],
    )
    assert found is not None
    return dict(zip(targets, found[0], strict=True))
