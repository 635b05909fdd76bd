"""The four groups, and what they may do."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command

from config.groups import GROUPS, sync_groups


def held(name: str) -> set[str]:
    """What a group holds, as app.codename."""
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in permissions}


def everything() -> set[str]:
    permissions = Permission.objects.select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in permissions}


def permission_make(app: str, codename: str) -> None:
    """A permission as an app that comes later would bring it."""
    kind, _ = ContentType.objects.get_or_create(app_label=app, model="thing")
    Permission.objects.create(content_type=kind, codename=codename, name=codename)


def test_after_migrate_the_four_groups_are_there() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(GROUPS)


def test_the_super_admin_may_everything() -> None:
    assert held("Super Admin") == everything()


def test_the_admin_gives_no_access_to_others() -> None:
    assert "auth.view_user" in held("Admin")
    assert not held("Admin") & {"auth.add_user", "auth.change_user", "auth.change_group"}
    assert not [each for each in held("Admin") if each.startswith(("knox.", "sessions."))]


def test_support_only_looks() -> None:
    assert held("Support")
    assert all(".view_" in each for each in held("Support"))


@pytest.mark.parametrize("group", ["Admin", "Operator", "Support"])
def test_nobody_but_the_super_admin_sees_tokens_and_sessions(group: str) -> None:
    assert not {"knox.view_authtoken", "sessions.view_session"} & held(group)


@pytest.mark.parametrize(
    ("permission", "holders"),
    [
        ("payments.view_payment", {"Super Admin", "Admin", "Operator", "Support"}),
        ("payments.change_payment", {"Super Admin", "Admin"}),
        ("jobs.pause_thing", {"Super Admin", "Admin", "Operator"}),
        ("jobs.change_thing", {"Super Admin", "Admin"}),
        ("jobs.lease_job", {"Super Admin", "Admin"}),
        ("telegram.send_thing", {"Super Admin", "Admin", "Operator"}),
        ("telegram.delete_thing", {"Super Admin", "Admin"}),
    ],
)
def test_permissions_of_later_apps_reach_their_groups(permission: str, holders: set[str]) -> None:
    app, codename = permission.split(".")
    if permission not in everything():
        permission_make(app, codename)
    sync_groups(apps=apps)
    assert {name for name in GROUPS if permission in held(name)} == holders


def test_a_sync_takes_back_what_the_table_does_not_give_and_can_be_repeated() -> None:
    support = Group.objects.get(name="Support")
    before = held("Support")
    support.permissions.add(Permission.objects.get(codename="delete_user"))
    for _ in range(2):
        sync_groups(apps=apps)
        assert held("Support") == before


def test_a_group_of_somebody_else_is_not_touched() -> None:
    other = Group.objects.create(name="Night shift")
    other.permissions.add(Permission.objects.get(codename="delete_user"))
    sync_groups(apps=apps)
    assert held("Night shift") == {"auth.delete_user"}


def test_migrate_brings_the_groups_back() -> None:
    Group.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert held("Super Admin") == everything()
    assert held("Support")


def test_flushing_the_database_leaves_the_groups(transactional_db: None) -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert held("Super Admin") == everything()
