"""The audit log: every act of a person or a service account, in the transaction of the act."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from jobs import sql
from jobs.models import AuditEntry
from lib.context import correlation_id

Account = AbstractBaseUser | AnonymousUser | None

_MANY = """
INSERT INTO jobs_auditentry
    (at, account_name, action, object_type, object_id, changes, correlation_id)
SELECT statement_timestamp(), 'system', %(action)s, %(type)s, v.id, v.changes, %(correlation)s
FROM jsonb_to_recordset(%(acts)s::jsonb) AS v (id text, changes jsonb)
"""


def audit_write(
    by: Account, action: str, object_type: str, object_id: object, **changes: Any
) -> AuditEntry:
    """Note an act: action is "jobs.replay", changes hold what is worth knowing, never secrets.

    by: None is the platform itself (a command line, a job).
    """
    known = by if isinstance(by, AbstractBaseUser) else None
    return AuditEntry.objects.create(
        account_id=known.pk if known else None,
        account_name=known.get_username() if known else "system",
        action=action,
        object_type=object_type,
        object_id=str(object_id)[:200],
        changes=changes,
        correlation_id=correlation_id.get() or None,
    )


def audit_write_many(
    action: str, object_type: str, acts: Sequence[tuple[object, Mapping[str, Any]]]
) -> None:
    """Note an act of the platform itself on many objects: the id of each, and its changes."""
    if not acts:
        return
    rows = [{"id": str(object_id)[:200], "changes": changes} for object_id, changes in acts]
    sql.run(
        _MANY,
        {
            "action": action,
            "type": object_type,
            "acts": orjson.dumps(rows).decode(),
            "correlation": correlation_id.get() or None,
        },
    )
