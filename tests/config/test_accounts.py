"""Accounts that are not made by hand."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken

from config.accounts import (
    AccountTaken,
    GroupUnknown,
    PermissionUnknown,
    TokenUnknown,
    account_tokens_revoke,
    admin_ensure,
    open_identity,
    service_account_create,
    token_revoke,
)
from lib.clock import now
from lib.errors import NotFound


def test_a_service_account_may_what_is_named_and_has_no_password() -> None:
    issued = service_account_create(name="pool", permissions=["config.view_ops"], group="Support")
    pool = User.objects.get(username="pool")
    assert pool.has_perm("config.view_ops")
    assert pool.has_perm("auth.view_user") is False
    assert pool.groups.get().name == "Support"
    assert not pool.has_usable_password()
    assert not pool.is_staff
    assert issued.token.startswith(issued.prefix)
    assert issued.expires_at is not None
    assert timedelta(days=364) < issued.expires_at - now() < timedelta(days=366)


def test_a_second_call_extends_the_account_and_keeps_its_first_token() -> None:
    first = service_account_create(name="pool", permissions=["config.view_ops"])
    second = service_account_create(name="pool", permissions=["config.view_metrics"])
    pool = User.objects.get(username="pool")
    assert pool.has_perms(["config.view_ops", "config.view_metrics"])
    assert first.token != second.token
    assert AuthToken.objects.filter(user=pool).count() == 2


def test_a_token_may_have_no_end() -> None:
    assert service_account_create(name="pool", lifetime=None).expires_at is None


def test_a_person_is_no_service_account(account: Callable[..., User]) -> None:
    account("olga")
    with pytest.raises(AccountTaken, match="olga is a person"):
        service_account_create(name="olga", permissions=["config.view_ops"])
    assert not AuthToken.objects.exists()


def test_the_open_identity_is_no_service_account() -> None:
    name = open_identity().get_username()
    with pytest.raises(AccountTaken):
        service_account_create(name=name)


@pytest.mark.parametrize("name", ["config.nothing", "nowhere.view_ops", "view_ops", ""])
def test_an_unknown_permission_leaves_no_account_behind(name: str) -> None:
    with pytest.raises(PermissionUnknown):
        service_account_create(name="pool", permissions=["config.view_ops", name])
    assert not User.objects.filter(username="pool").exists()


def test_an_unknown_group_is_answered_with_those_that_are() -> None:
    with pytest.raises(GroupUnknown, match="Admin, Operator, Super Admin, Support"):
        service_account_create(name="pool", group="Operators")


def test_a_token_is_revoked_by_its_beginning() -> None:
    ended, other = (service_account_create(name="pool") for _ in range(2))
    assert token_revoke(prefix=ended.prefix) == 1
    assert AuthToken.objects.get().token_key == other.prefix
    with pytest.raises(TokenUnknown):
        token_revoke(prefix=ended.prefix)


@pytest.mark.parametrize("prefix", ["", "a", "1234567"])
def test_a_short_beginning_revokes_nothing(prefix: str) -> None:
    service_account_create(name="pool")
    with pytest.raises(TokenUnknown):
        token_revoke(prefix=prefix)
    assert AuthToken.objects.count() == 1


def test_all_tokens_of_an_account_are_revoked() -> None:
    for name in ("pool", "pool", "other"):
        service_account_create(name=name)
    assert account_tokens_revoke(name="pool") == 2
    assert account_tokens_revoke(name="pool") == 0
    assert AuthToken.objects.get().user.username == "other"
    with pytest.raises(NotFound):
        account_tokens_revoke(name="nobody")


def test_the_first_admin_is_made_once_and_can_log_in(tmp_path: Path) -> None:
    file = tmp_path / "data" / "admin_password"
    first = admin_ensure(username="admin", kept_in=file)
    again = admin_ensure(username="admin", kept_in=file)
    admin = User.objects.get(username="admin")
    assert first.password is not None
    assert admin.check_password(first.password)
    assert admin.is_superuser
    assert admin.is_staff
    assert (first.is_new, again.is_new) == (True, False)
    assert again.password == first.password
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_changed_password_is_no_longer_told(tmp_path: Path) -> None:
    file = tmp_path / "admin_password"
    admin_ensure(username="admin", kept_in=file)
    admin = User.objects.get(username="admin")
    admin.set_password("mine alone")
    admin.save()
    assert admin_ensure(username="admin", kept_in=file).password is None
    admin.refresh_from_db()
    assert admin.check_password("mine alone")


def test_a_new_database_keeps_the_login_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "admin_password"
    before = admin_ensure(username="admin", kept_in=file)
    User.objects.all().delete()
    assert admin_ensure(username="admin", kept_in=file).password == before.password


def test_without_a_file_the_password_is_known_once() -> None:
    assert admin_ensure(username="admin", kept_in=None).password
    assert admin_ensure(username="admin", kept_in=None).password is None
