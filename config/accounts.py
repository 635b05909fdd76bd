"""Accounts that are not made by hand: service accounts with their tokens, the first admin, and the
open identity of development. A service account is a user without a password."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from knox.models import AuthToken

from lib.errors import DomainError, InputInvalid, NotFound

OPEN_IDENTITY = "open-identity"


class AccountTaken(DomainError):
    """The name belongs to a person; a service account needs a name of its own."""

    code = "account_taken"


class PermissionUnknown(InputInvalid):
    """There is no such permission; write app.codename, for instance jobs.lease_job."""

    code = "permission_unknown"


class GroupUnknown(InputInvalid):
    """There is no such group."""

    code = "group_unknown"


class TokenUnknown(NotFound):
    """No token begins like this."""

    code = "token_unknown"


@dataclass(frozen=True)
class IssuedToken:
    """The only moment at which the token itself is known: the database keeps a hash."""

    token: str
    prefix: str
    digest: str
    account: str
    expires_at: datetime | None


@dataclass(frozen=True)
class AdminLogin:
    """password is None when only its owner knows it."""

    username: str
    password: str | None
    is_new: bool


@transaction.atomic
def service_account_create(
    *,
    name: str,
    permissions: Iterable[str] = (),
    group: str | None = None,
    lifetime: timedelta | None = timedelta(days=365),
) -> IssuedToken:
    """Make a service account and give it a token.

    Repeat: the account stays one, gains what is named, and has one more token; the older ones hold.
    lifetime None is a token without end. Raises AccountTaken, PermissionUnknown, GroupUnknown.
    """
    account, is_new = User.objects.get_or_create(
        username=name, defaults={"password": make_password(None)}
    )
    if not is_new and (account.has_usable_password() or account.is_staff or account.is_superuser):
        raise AccountTaken(f"{name} is a person; a service account needs a name of its own.")
    account.user_permissions.add(*[_permission(each) for each in permissions])
    if group is not None:
        account.groups.add(_group(group))
    return token_issue(account=account, lifetime=lifetime)


def token_issue(*, account: User, lifetime: timedelta | None) -> IssuedToken:
    """Give an account one more token. lifetime None is a token without end."""
    row, token = AuthToken.objects.create(user=account, expiry=lifetime)
    return IssuedToken(token, row.token_key, row.digest, account.get_username(), row.expiry)


def token_revoke(*, prefix: str) -> int:
    """End every token that begins with prefix (8 characters at least); returns how many ended.

    Raises TokenUnknown, also when repeated.
    """
    if len(prefix) < 8:
        raise TokenUnknown("Give at least the first 8 characters of the token.")
    ended: int = AuthToken.objects.filter(token_key__startswith=prefix[:15]).delete()[0]
    if not ended:
        raise TokenUnknown(f"No token begins with {prefix[:15]}.")
    return ended


def account_tokens_revoke(*, name: str) -> int:
    """End all tokens of an account; returns how many ended. Safe to repeat. Raises NotFound."""
    if not User.objects.filter(username=name).exists():
        raise NotFound(f"There is no account {name}.")
    ended: int = AuthToken.objects.filter(user__username=name).delete()[0]
    return ended


def admin_ensure(*, username: str, password: str | None = None, kept_in: Path | None) -> AdminLogin:
    """See to it that a superuser exists, and tell its login if it can be known.

    password None makes one up; kept_in keeps it in a file (mode 0600), so that a development server
    can print it at each start. Safe to repeat: an admin that exists keeps its password.
    """
    kept = password or _kept_password(kept_in)
    admin, is_new = User.objects.get_or_create(
        username=username, defaults={"is_staff": True, "is_superuser": True}
    )
    if not is_new:
        known = kept if kept and admin.check_password(kept) else None
        return AdminLogin(username, known, is_new=False)
    fresh = kept or secrets.token_urlsafe(12)
    admin.set_password(fresh)
    admin.save(update_fields=["password"])
    if kept_in is not None:
        _keep_password(kept_in, fresh)
    return AdminLogin(username, fresh, is_new=True)


def open_identity() -> User:
    """The account of everybody while OPEN_IDENTITY is on: may do all by REST, cannot log in."""
    return User.objects.get_or_create(
        username=OPEN_IDENTITY,
        defaults={"is_superuser": True, "password": make_password(None)},  # None: no password fits
    )[0]


def _permission(name: str) -> Permission:
    app, _, codename = name.partition(".")
    found = Permission.objects.filter(content_type__app_label=app, codename=codename).first()
    if found is None:
        raise PermissionUnknown(f"There is no permission {name}; write app.codename.")
    return found


def _group(name: str) -> Group:
    found = Group.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
        raise GroupUnknown(f"There is no group {name}; there are {known}.")
    return found


def _kept_password(path: Path | None) -> str | None:
    return path.read_text().strip() or None if path is not None and path.exists() else None


def _keep_password(path: Path, password: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(file.fileno(), 0o600)  # also for a file that was there with another mode
        file.write(password + "\n")
