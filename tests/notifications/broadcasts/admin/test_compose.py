"""Writing a broadcast: what is wrong is said beside its field, and nothing is sent by saving."""

import json
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from notifications.broadcasts.admin.sample import audience_sample
from notifications.broadcasts.audiences import registry
from notifications.broadcasts.audiences.registry import Condition, Operation
from notifications.broadcasts.errors import CountSlow
from notifications.broadcasts.models import Audience, Broadcast
from notifications.broadcasts.services import (
    broadcast_cancel,
    broadcast_edit,
    broadcast_pause,
    broadcast_send_now,
)
from tests.notifications.broadcasts.admin.ways import draft, said, text, to
from tests.notifications.broadcasts.rows import broadcast_make, people_make

pytestmark = pytest.mark.django_db

RUSSIANS = [{"field": "language", "op": "is", "value": ["ru"]}]


def test_a_draft_is_made_and_nothing_is_sent(alice: Client) -> None:
    shown = alice.post(
        to("compose"),
        draft(
            channels=["inbox", "telegram"],
            body="First\r\nSecond",
            body_ru="Первая",
            parse_mode="HTML",
            extra='{"link": "/status"}',
            canary_percent="1",
            canary_max_errors="10",
        ),
        follow=True,
    )
    row = Broadcast.objects.get()
    assert shown.redirect_chain[-1][0] == to("change", row.pk)
    assert "Nothing is sent before you say so." in said(shown)[0]
    assert (row.status, row.body, row.body_ru) == ("draft", "First\nSecond", "Первая")
    assert (row.channels, row.data) == (["inbox", "telegram"], {"link": "/status"})
    assert (row.canary_percent, row.canary_max_errors) == (1, 10)
    assert row.created_by == "alice"
    assert not Job.objects.filter(kind__startswith="broadcasts.").exists()


@pytest.mark.parametrize(
    ("changes", "audience"),
    [
        ({"audience_type": "all_users"}, {"type": "all_users"}),
        (
            {"audience_type": "segment", "match": "any", "conditions": json.dumps(RUSSIANS)},
            {"type": "segment", "match": "any", "conditions": RUSSIANS},
        ),
        ({"audience_type": "ids", "ids": "7, 8\n8 9;"}, {"type": "ids", "ids": [7, 8, 9]}),
    ],
    ids=["all", "segment", "ids"],
)
def test_every_kind_of_audience_is_kept(
    alice: Client, changes: dict[str, Any], audience: dict[str, Any]
) -> None:
    alice.post(to("compose"), draft(**changes))
    assert Broadcast.objects.get().audience == audience


def test_an_imported_list_is_chosen_by_its_address(alice: Client) -> None:
    row = Audience.objects.create(name="Winter", members=3)
    shown = alice.get(to("compose", list=str(row.pk)))
    assert shown.context["form"].initial["audience_id"] == str(row.pk)
    alice.post(to("compose"), draft(audience_type="csv", audience_id=str(row.pk)))
    assert Broadcast.objects.get().audience == {"type": "csv", "audience_id": str(row.pk)}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": ""}, "title", "required"),
        ({"body": ""}, "body", "required"),
        ({"channels": []}, "channels", "Choose at least one channel."),
        ({"extra": "[1]"}, "extra", "JSON object"),
        ({"extra": json.dumps({"x": "y" * 4000})}, "extra", "3000 bytes"),
        ({"parse_mode": "HTML", "body": "<b>open", "channels": ["telegram"]}, "body", "b"),
        ({"body": "x" * 4100}, "body", "4000"),
        ({"canary_percent": "80"}, "canary_percent", "50"),
        ({"audience_type": "ids", "ids": "7 seven"}, "ids", "“seven”"),
        ({"audience_type": "ids", "ids": " "}, "ids", "at least one"),
        ({"audience_type": "csv"}, "audience_id", "Choose a list"),
        ({"audience_type": "segment"}, "conditions", "at least one condition"),
        ({"audience_type": "segment", "conditions": "{"}, "conditions", "not JSON"),
        (
            {
                "audience_type": "segment",
                "conditions": '[{"field": "shoe", "op": "is", "value": 7}]',
            },
            "conditions",
            "no field 'shoe'",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    alice: Client, changes: dict[str, Any], field: str, words: str
) -> None:
    shown = alice.post(to("compose"), draft(**changes))
    assert shown.status_code == 422
    errors = shown.context["form"].errors
    assert words in " ".join(errors[field]), errors
    assert not Broadcast.objects.exists()


def test_a_moment_without_zone_means_utc(alice: Client) -> None:
    one = {"field": "created", "op": "since", "value": "2026-11-01T12:00"}
    alice.post(to("compose"), draft(audience_type="segment", conditions=json.dumps([one])))
    kept = Broadcast.objects.get().audience["conditions"][0]
    assert kept["value"] == "2026-11-01T12:00Z"


def test_the_preview_shows_each_channel_and_language(alice: Client) -> None:
    shown = text(
        alice.post(
            to("compose_preview"),
            draft(
                channels=["inbox", "telegram"],
                body="At <b>noon</b>",
                body_ru="В полдень",
                parse_mode="HTML",
            ),
        )
    )
    for words in (
        "Inbox, main text", "Inbox, in Russian", "Telegram, main text", "Telegram, in Russian",
        "At noon", "В полдень", "of 4096 characters",
    ):  # fmt: skip
        assert words in shown


def test_the_preview_says_what_telegram_would_refuse_and_holds_no_foreign_html(
    alice: Client,
) -> None:
    given = draft(
        channels=["telegram"], body="<b>open", title="<script>x</script>", parse_mode="HTML"
    )
    shown = alice.post(to("compose_preview"), given).content.decode()
    assert "is-error" in shown
    assert "<script>" not in shown
    assert (
        "No channel is chosen."
        in alice.post(to("compose_preview"), draft(channels=[])).content.decode()
    )


def test_the_live_count_says_how_many_and_who(alice: Client) -> None:
    people_make(3)
    people_make(2, first=10, language="ru")
    given = draft(audience_type="segment", conditions=json.dumps(RUSSIANS))
    shown = text(alice.post(to("compose_audience"), given))
    assert "2 people now: language is ru" in shown
    assert "u11" in shown
    shown = text(alice.post(to("compose_audience"), draft(audience_type="ids", ids="1 2 999")))
    assert "2 people now" in shown
    assert "1 of the named is nobody we know" in shown
    assert "Add at least one condition." in text(
        alice.post(to("compose_audience"), draft(audience_type="segment"))
    )


def test_a_draft_is_edited_and_its_form_holds_what_it_has(alice: Client) -> None:
    audience = {"type": "segment", "match": "all", "conditions": RUSSIANS}
    row = broadcast_make(audience=audience, data={"a": 1}, canary_percent=2)
    form = alice.get(to("edit", row.pk)).context["form"]
    assert json.loads(form.initial["conditions"]) == RUSSIANS
    alice.post(to("edit", row.pk), draft(title="Better", version="1"))
    row.refresh_from_db()
    assert (row.title, row.audience, row.data, row.version) == (
        "Better",
        {"type": "all_users"},
        None,
        2,
    )


def test_who_edits_an_old_version_is_told(alice: Client) -> None:
    row = broadcast_make()
    broadcast_edit(broadcast_id=row.pk, title="Of somebody else", by=None)
    shown = alice.post(to("edit", row.pk), draft(version="1"))
    assert shown.status_code == 422
    assert "Somebody else has edited the broadcast meanwhile" in text(shown)
    assert Broadcast.objects.get().title == "Of somebody else"


def test_what_is_not_a_draft_any_more_is_not_edited(alice: Client) -> None:
    row = broadcast_make()
    broadcast_cancel(broadcast_id=row.pk, by=None)
    shown = alice.post(to("edit", row.pk), draft(version="1"), follow=True)
    assert "only a draft can be edited" in said(shown)[0]
    assert Broadcast.objects.get().title == "Feature launch"


def test_of_one_that_is_paused_the_texts_are_put_right(alice: Client) -> None:
    row = broadcast_make(audience={"type": "ids", "ids": [1]})
    broadcast_send_now(broadcast_id=row.pk, by=None)
    broadcast_pause(broadcast_id=row.pk, by=None)
    shown = alice.get(to("edit", row.pk))
    assert "gets the new text when it is resumed" in text(shown)
    assert "To whom" not in text(shown)
    assert "Inbox, main text" in text(shown)
    alice.post(to("edit", row.pk), draft(title="Right", version=str(row.version)))
    row.refresh_from_db()
    assert (row.title, row.audience, row.status) == ("Right", {"type": "ids", "ids": [1]}, "paused")


def test_a_count_that_takes_too_long_gives_up_and_says_so(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Condition(
        "slow", "slow", "flag", bool, {"is": Operation("is", "pg_sleep(30) IS NULL = {value}")}
    )
    monkeypatch.setattr(registry, "_conditions", {**registry.conditions(), "slow": slow})
    people_make(1)
    audience = {
        "type": "segment",
        "match": "all",
        "conditions": [{"field": "slow", "op": "is", "value": True}],
    }
    with pytest.raises(CountSlow):
        audience_sample(audience, patience_ms=50)
    assert (
        audience_sample({"type": "all_users"}, patience_ms=50).count == 1
    )  # and all is well again


def test_a_blank_form_says_so_and_counts_no_characters(alice: Client) -> None:
    blank = text(alice.get(to("compose")))
    assert "Nothing is written yet." in blank
    assert "of 4000 characters" not in blank
    looks = text(alice.post(to("compose_preview"), {"body": "abc", "channels": ["inbox"]}))
    assert "3 of 4000 characters" in looks
