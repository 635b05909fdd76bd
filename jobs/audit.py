"""The audit log: every act of a person or a service account, in the transaction of the act."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from jobs.models import AuditEntry
from lib.context import correlation_id

Account = AbstractBaseUser | AnonymousUser | None


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
