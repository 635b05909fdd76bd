"""The pages of the file watch: what they show, who may do what, and what a form refuses."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, drain
from lib import clock
from lib.ids import uuid7
from lib.now import gather
from monitoring.files.models import FileBatch, FileEvent, Rule, Watcher
from tests.monitoring.files.admin.conftest import World
from tests.monitoring.files.rows import Drop, look, rule_make, settle


def to(name: str, *args: Any) -> str:
    return reverse(f"admin:files_{name}", args=args)


def text(answer: Any) -> str:
    inside = answer.content.decode().split('<div class="console"', 1)[-1]
    return " ".join(re.sub(r"<[^>]+>", " ", inside).split())


def pages(world: World) -> list[str]:
    return [
        to("rule_changelist"),
        to("rule_watchers"),
        to("rule_change", world.rule.pk),
        to("rule_try", world.rule.pk),
        to("filebatch_changelist"),
        to("filebatch_change", world.batch.pk),
        to("filebatch_live", world.batch.pk),
        to("watchedfile_changelist"),
        to("watchedfile_change", world.file.pk),
    ]


def form_of(drop: Drop, **fields: Any) -> dict[str, Any]:
    return {
        "name": "imports",
        "directory": str(drop.path),
        "patterns": "*.csv\n*.txt",
        "debounce_ms": "500",
        "changes": ["added", "modified"],
        "action": "telegram",
        "option_telegram_chat": "500",
        "option_telegram_language": "ru",
        "go": "save",
        **fields,
    }


def test_a_reader_sees_every_page_and_no_button(world: World, bob: Client) -> None:
    for address in pages(world):
        answer = bob.get(address)
        assert answer.status_code == 200, address
        inside = answer.content.decode().split('<div class="console"', 1)[-1]
        assert not re.search(r'<form[^>]*method="post"', inside), address
    assert bob.get(to("rule_add")).status_code == 403
    assert bob.get(to("rule_edit", world.rule.pk)).status_code == 403


def test_acts_need_their_permission_and_post(world: World, alice: Client, bob: Client) -> None:
    rule, batch = world.rule.pk, world.batch.pk
    acts = [to(f"rule_{name}", rule) for name in ("scan", "pause", "resume")]
    acts.append(to("filebatch_retry", batch))
    for address in acts:
        assert bob.post(address).status_code == 403
        assert alice.get(address).status_code == 405
        assert alice.post(address).status_code == 302
    assert alice.post(to("rule_delete", rule)).status_code == 403
    assert alice.post(to("rule_add"), {}).status_code == 403
    did = list(AuditEntry.objects.order_by("id").values_list("account_name", "action"))
    assert did == [("alice", f"files.{name}") for name in ("scan", "pause", "resume", "retry")]


def test_strangers_and_staff_without_the_permission_see_nothing(
    world: World, carol: Client
) -> None:
    for address in pages(world):
        assert carol.get(address).status_code == 403
        assert Client().get(address).status_code == 302


@pytest.mark.parametrize("number", [404, 2**63, 10**30])
def test_what_is_not_there_is_said_as_404(db: None, olga: Client, number: int) -> None:
    assert olga.get(f"{to('rule_changelist')}{number}/change/").status_code == 404
    assert olga.get(f"{to('watchedfile_changelist')}{number}/change/").status_code == 404
    assert olga.get(to("filebatch_change", uuid7())).status_code == 404


def test_an_admin_makes_edits_and_deletes_a_rule(olga: Client, drop: Drop, db: None) -> None:
    answer = olga.post(to("rule_add"), form_of(drop))
    rule = Rule.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, to("rule_change", rule.pk))
    assert (rule.patterns, rule.options) == (["*.csv", "*.txt"], {"chat": 500, "language": "ru"})
    assert (rule.created_by, rule.changes) == ("olga", ["added", "modified"])
    shown = olga.get(to("rule_edit", rule.pk)).context["form"]
    assert shown["option_telegram_chat"].value() == 500
    olga.post(to("rule_edit", rule.pk), form_of(drop, name="others", version=rule.version))
    rule.refresh_from_db()
    assert (rule.name, rule.version) == ("others", 2)
    olga.post(to("rule_delete", rule.pk))
    assert not Rule.objects.exists()
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["files.create", "files.edit", "files.delete"]


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"directory": "/etc"}, "directory", "does not lie within"),
        ({"directory": "relative"}, "directory", "absolute"),
        ({"directory": "{drop}/../outside"}, "directory", "step up by .."),
        ({"patterns": " \n"}, "patterns", "required"),
        ({"patterns": "../*"}, "patterns", "cannot be used"),
        ({"debounce_ms": "1"}, "debounce_ms", "50"),
        ({"changes": []}, "changes", "required"),
        ({"action": "nothing"}, "action", "valid choice"),
        ({"option_telegram_chat": ""}, "option_telegram_chat", "missing"),
        ({"option_telegram_chat": "me"}, "option_telegram_chat", "number"),
    ],
)
def test_a_form_says_beside_the_field_what_is_wrong(
    olga: Client, drop: Drop, db: None, fields: dict[str, Any], place: str, words: str
) -> None:
    given = {
        name: value.replace("{drop}", str(drop.path)) if isinstance(value, str) else value
        for name, value in fields.items()
    }
    answer = olga.post(to("rule_add"), form_of(drop, **given))
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[place])
    assert not Rule.objects.exists()


def test_a_taken_name_and_an_edit_in_between_are_said(
    olga: Client, world: World, drop: Drop
) -> None:
    answer = olga.post(to("rule_add"), form_of(drop, name=world.rule.name))
    assert "already" in answer.context["form"].errors["name"][0]
    answer = olga.post(
        to("rule_edit", world.rule.pk), form_of(drop, version=world.rule.version + 7)
    )
    assert "meanwhile" in answer.context["form"].non_field_errors()[0]


def test_trying_lists_what_matches_and_changes_nothing(
    olga: Client, world: World, drop: Drop
) -> None:
    drop.write("new.csv", "new")
    drop.write("a.csv", "changed since")
    answer = olga.post(to("rule_edit", world.rule.pk), form_of(drop, go="try"))
    found = {match.path: match.standing for match in answer.context["found"].matches}
    assert found == {"a.csv": "changed", "b.csv": "known", "new.csv": "new"}
    assert answer.context["found"].refused == [
        ("out.csv", "It is a link that leads out of the directory.")
    ]
    answer = olga.post(to("rule_add"), form_of(drop, go="try"))
    assert {match.standing for match in answer.context["found"].matches} == {"new"}
    assert Rule.objects.count() == 1
    assert "It is a link that leads out" in text(olga.get(to("rule_try", world.rule.pk)))


def test_a_directory_that_is_not_there_can_be_named_and_is_said_when_tried(
    olga: Client, drop: Drop, db: None
) -> None:
    answer = olga.post(to("rule_add"), form_of(drop, directory=f"{drop.path}/later", go="try"))
    assert "No such file" in answer.context["found"].problem
    assert (
        olga.post(to("rule_add"), form_of(drop, directory=f"{drop.path}/later")).status_code == 302
    )


def test_a_page_says_why_a_file_failed_and_a_retry_brings_it_back(
    alice: Client, world: World
) -> None:
    page = text(alice.get(to("filebatch_change", world.batch.pk)))
    assert "It has no header." in page
    assert "failed in part" in page
    assert "&lt;i&gt;" in alice.get(to("filebatch_change", world.batch.pk)).content.decode()
    assert "It has no header." in text(alice.get(to("watchedfile_change", world.file.pk)))
    alice.post(to("filebatch_retry", world.batch.pk))
    assert_enqueued("files.file_event", times=2, batch_id=str(world.batch.pk))
    drain(queues=["default"])
    batch = FileBatch.objects.get()
    assert (batch.state, batch.done, batch.failed) == ("finished", 2, 0)
    answer = alice.post(to("filebatch_retry", world.batch.pk), follow=True)
    assert "Refused: no file of batch" in str(list(answer.context["messages"])[-1])


def test_filters_are_links_that_can_be_shared(alice: Client, world: World, drop: Drop) -> None:
    rule_make(drop, name="other", paused_at=clock.now())
    assert [
        view.rule.name
        for view in alice.get(f"{to('rule_changelist')}?condition=paused").context["rules"]
    ] == ["other"]
    assert [
        view.rule.name for view in alice.get(f"{to('rule_changelist')}?q=dro").context["rules"]
    ] == ["other", "drop"]
    files = alice.get(f"{to('watchedfile_changelist')}?state=refused&rule={world.rule.pk}")
    assert [file.path for file in files.context["files"]] == ["out.csv"]
    assert files.context["share"].endswith(f"?rule={world.rule.pk}&state=refused")
    found = alice.get(f"{to('watchedfile_changelist')}?q=b.c").context["files"]
    assert [file.path for file in found] == ["b.csv"]
    assert alice.get(f"{to('filebatch_changelist')}?state=failed").context["batches"]
    assert not alice.get(f"{to('filebatch_changelist')}?state=open").context["batches"]
    events = alice.get(f"{to('filebatch_change', world.batch.pk)}?outcome=failed").context["events"]
    assert [event.path for event in events] == ["a.csv"]
    for nonsense in (
        "?after=x&page=-1",
        "?rule=x",
        "?state=%00",
        "?condition=x&after=999999999999999999999",
    ):
        for name in ("rule_changelist", "filebatch_changelist", "watchedfile_changelist"):
            assert alice.get(f"{to(name)}{nonsense}").status_code == 200


def test_empty_pages_say_what_to_do(alice: Client, olga: Client) -> None:
    assert "There is no rule yet." in text(olga.get(to("rule_changelist")))
    assert "No file has changed yet." in text(alice.get(to("filebatch_changelist")))
    assert "The index is empty." in text(alice.get(to("watchedfile_changelist")))


def test_lists_page_by_keys_and_cost_the_same_whatever_their_length(
    alice: Client, world: World, drop: Drop
) -> None:
    def count(address: str) -> int:
        alice.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert alice.get(address).status_code == 200
        return len(captured)

    addresses = [each for each in pages(world) if "live" not in each]
    few = [count(address) for address in addresses]
    for number in range(120):
        drop.write(f"n{number}.csv", str(number))
    settle()
    look(world.rule)
    FileEvent.objects.update(batch=FileBatch.objects.order_by("id")[0])
    assert [count(address) for address in addresses] == few
    seen: list[str] = []
    address = to("watchedfile_changelist")
    while address:
        context = alice.get(address).context
        seen += [file.path for file in context["files"]]
        following = context["following"]
        address = f"{to('watchedfile_changelist')}{following}" if following else ""
    assert len(seen) == len(set(seen)) == 123


def test_what_needs_a_person_stands_on_the_first_page(world: World, account: Any) -> None:
    user = account("root", is_superuser=True, is_staff=True)
    FileEvent.objects.filter(outcome="failed").update(finished_at=clock.now())

    def told() -> set[str]:
        return {
            item.title for item in gather(user) if "file" in item.title or "direct" in item.title
        }

    assert told() == {"file watch without a watcher", "file failed"}
    Watcher.objects.create(
        id="w", host="h", pid=1, started_at=clock.now(), beat_at=clock.now(), is_leading=True
    )
    Rule.objects.update(problem="/srv/drop is not there.")
    assert told() == {"directory is away", "file failed"}
    Rule.objects.update(paused_at=clock.now())
    assert told() == {"file failed"}
