"""The commands print what is needed, once, and refuse in words."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from knox.models import AuthToken
from pytest_django.fixtures import Settings


def run(*arguments: str) -> tuple[str, str]:
    """(stdout, stderr) of a command."""
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("probe_api")
def test_the_token_stands_alone_on_stdout_and_works() -> None:
    out, err = run("create_service_account", "pool", "--permission", "config.view_ops")
    token = out.strip()
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/echo")
    assert answer.json() == {"user": "pool"}
    assert token not in err
    assert f"revoke_token {token[:15]}" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--permission", "config.nothing"], "There is no permission config.nothing"),
        (["--group", "Nobody"], "There is no group Nobody"),
        (["--days", "0"], "between 1 and 3650"),
    ],
)
def test_a_service_account_that_cannot_be_is_refused_in_words(
    arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("create_service_account", "pool", *arguments)
    assert not User.objects.filter(username="pool").exists()


def test_a_token_is_revoked_by_what_was_printed() -> None:
    token = run("create_service_account", "pool")[0].strip()
    assert run("revoke_token", token[:15])[0] == "1 revoked\n"
    with pytest.raises(CommandError, match="No token begins with"):
        run("revoke_token", token[:15])


def test_all_tokens_of_an_account_are_revoked() -> None:
    run("create_service_account", "pool")
    run("create_service_account", "pool")
    assert run("revoke_token", "--account", "pool")[0] == "2 revoked\n"
    assert not AuthToken.objects.exists()


def test_development_prints_the_same_login_at_each_start(
    settings: Settings, tmp_path: Path
) -> None:
    settings.DEBUG, settings.DATA_DIR = True, tmp_path
    first, again = run("ensure_admin")[0], run("ensure_admin")[0]
    assert first == again
    username, password = first.removeprefix("Admin login: ").strip().split(" / ")
    assert Client().login(username=username, password=password)
    assert password == (tmp_path / "admin_password").read_text().strip()


def test_production_prints_a_made_up_password_once(settings: Settings, tmp_path: Path) -> None:
    settings.DEBUG, settings.DATA_DIR = False, tmp_path
    assert run("ensure_admin")[0].startswith("Admin login: admin / ")
    assert run("ensure_admin")[0] == "Admin admin exists; its password is known to its owner.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_given_password_is_never_printed(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    file = tmp_path / "given"
    file.write_text("a password of ours\n")
    out, err = run("ensure_admin", "--username", "olga", "--password-file", str(file))
    assert "a password of ours" not in out + err
    assert Client().login(username="olga", password="a password of ours")


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_password_file_without_a_password_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "given"
    if content is not None:
        file.write_text(content)
    with pytest.raises(CommandError, match="given"):
        run("ensure_admin", "--password-file", str(file))
    assert not User.objects.exists()
