"""The console: who sees what in the sidebar, and who may give access to whom."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from knox.models import AuthToken

from config.accounts import open_identity, service_account_create, token_issue
from config.sidebar import navigation


@pytest.fixture
def member(account: Callable[..., User]) -> Callable[..., Client]:
    """A browser in which somebody of a group is logged in; "root" is a superuser."""

    def make(group: str) -> Client:
        user = account(group, is_staff=True, is_superuser=group == "root")
        if group != "root":
            user.groups.add(Group.objects.get(name=group))
        browser = Client()
        browser.force_login(user)
        return browser

    return make


def sidebar(client: Client) -> set[str]:
    html = client.get("/admin/").content.decode()
    return {title for title in ("Users", "Groups", "Tokens") if f"<span>{title}</span>" in html}


@pytest.mark.parametrize(
    ("group", "seen"),
    [
        ("root", {"Users", "Groups", "Tokens"}),
        ("Super Admin", {"Users", "Groups", "Tokens"}),
        ("Admin", {"Users", "Groups"}),
        ("Operator", set()),
        ("Support", set()),
    ],
)
def test_the_sidebar_shows_what_one_may_open(
    member: Callable[..., Client], group: str, seen: set[str]
) -> None:
    assert sidebar(member(group)) == seen


def test_every_link_of_the_sidebar_opens(member: Callable[..., Client]) -> None:
    root = member("root")
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="root")
    links = [item["link"] for area in navigation(request) for item in area["items"]]
    assert len(links) >= 6
    assert {link: root.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_a_token_is_shown_once_and_works(member: Callable[..., Client]) -> None:
    service_account_create(name="pool", permissions=["config.view_ops"])
    pool = User.objects.get(username="pool")
    root = member("root")
    AuthToken.objects.all().delete()
    shown = root.post("/admin/knox/authtoken/add/", {"user": pool.pk, "days": 30}, follow=True)
    found = re.search(r"<code>(\w{64})</code>", shown.content.decode())
    assert found is not None
    row = AuthToken.objects.get()
    assert found[1].startswith(row.token_key)
    assert row.expiry - row.created < timedelta(days=31)
    assert "was added successfully" not in shown.content.decode(), "Django would show the digest"
    assert [link for link, _ in shown.redirect_chain] == ["/admin/knox/authtoken/"]
    again = root.get("/admin/knox/authtoken/").content.decode()
    assert row.token_key in again
    assert found[1] not in again
    assert LogEntry.objects.get().is_addition()


def test_django_s_own_pages_write_moments_as_all_others_do(member: Callable[..., Client]) -> None:
    root = member("root")
    joined = User.objects.get(username="root").date_joined
    assert f"{joined:%Y-%m-%d %H:%M} UTC" in root.get("/admin/auth/user/").content.decode()


@pytest.mark.parametrize("days", ["0", "3651", "many"])
def test_a_token_needs_a_sane_end(member: Callable[..., Client], days: str) -> None:
    service_account_create(name="pool")
    AuthToken.objects.all().delete()
    pool = User.objects.get(username="pool")
    answer = member("root").post("/admin/knox/authtoken/add/", {"user": pool.pk, "days": days})
    assert answer.status_code == 200
    assert not AuthToken.objects.exists()


def test_tokens_are_revoked_from_the_list_and_leave_a_line(member: Callable[..., Client]) -> None:
    service_account_create(name="pool")
    keep = service_account_create(name="pool")
    chosen = AuthToken.objects.exclude(token_key=keep.prefix).get()
    member("root").post(
        "/admin/knox/authtoken/", {"action": "revoke", "_selected_action": [chosen.pk]}
    )
    assert AuthToken.objects.get().token_key == keep.prefix
    assert LogEntry.objects.get().is_deletion()


def test_a_token_cannot_be_edited(member: Callable[..., Client]) -> None:
    service_account_create(name="pool")
    row = AuthToken.objects.get()
    root = member("root")
    assert root.get(f"/admin/knox/authtoken/{row.pk}/change/").status_code == 200
    assert root.post(f"/admin/knox/authtoken/{row.pk}/change/", {}).status_code == 403


@pytest.mark.parametrize("group", ["Admin", "Operator", "Support"])
def test_only_a_super_admin_opens_the_tokens(member: Callable[..., Client], group: str) -> None:
    assert member(group).get("/admin/knox/authtoken/").status_code == 403


def test_who_is_no_superuser_cannot_issue_a_token_that_is_one(
    member: Callable[..., Client], account: Callable[..., User]
) -> None:
    browser, boss = member("Super Admin"), account("boss", is_superuser=True)
    for target in (boss, open_identity()):
        browser.post("/admin/knox/authtoken/add/", {"user": target.pk, "days": 1})
    assert not AuthToken.objects.exists()


def test_who_is_no_superuser_cannot_become_one(member: Callable[..., Client]) -> None:
    browser = member("Super Admin")
    me = User.objects.get(username="Super Admin")
    browser.post(
        f"/admin/auth/user/{me.pk}/change/",
        {
            "username": "renamed",
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
            "date_joined_0": "2026-11-22",
            "date_joined_1": "00:00:00",
        },
    )
    me.refresh_from_db()
    assert me.username == "renamed"  # the form was taken, without the one field
    assert not me.is_superuser


def test_who_is_no_superuser_cannot_touch_one(
    member: Callable[..., Client], account: Callable[..., User]
) -> None:
    browser, boss = member("Super Admin"), account("boss", is_superuser=True, is_staff=True)
    assert browser.post(f"/admin/auth/user/{boss.pk}/change/", {}).status_code == 403
    assert browser.post(f"/admin/auth/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"/admin/auth/user/{boss.pk}/password/").status_code == 403


def test_our_groups_are_shown_but_not_edited(member: Callable[..., Client]) -> None:
    root, support = member("root"), Group.objects.get(name="Support")
    assert root.get(f"/admin/auth/group/{support.pk}/change/").status_code == 200
    assert root.post(f"/admin/auth/group/{support.pk}/change/", {}).status_code == 403
    assert root.post(f"/admin/auth/group/{support.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_group_of_their_own_is_made_and_edited(member: Callable[..., Client]) -> None:
    root = member("root")
    root.post("/admin/auth/group/add/", {"name": "Night shift"})
    own = Group.objects.get(name="Night shift")
    root.post(f"/admin/auth/group/{own.pk}/change/", {"name": "Day shift"})
    own.refresh_from_db()
    assert own.name == "Day shift"


def test_the_lists_of_access_open_and_do_not_grow_with_their_rows(
    member: Callable[..., Client], account: Callable[..., User]
) -> None:
    root = member("root")
    for number in range(3):
        token_issue(account=account(f"user-{number}"), lifetime=timedelta(days=1))
    for path in ("auth/user", "auth/group", "knox/authtoken", "auth/user/add", "auth/group/add"):
        assert root.get(f"/admin/{path}/").status_code == 200
