"""Bulk operations from the console: look, confirm, begin; what an operation did to whom."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from jobs.testing import drain
from lib import clock
from subscriptions.models import BulkItem, BulkOperation, Subscriber
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.bulk.rows import rows_make
from tests.subscriptions.buyers import ends_of, person_make, status_of

ACT = "/admin/subscriptions/subscriber/act/"
UPLOAD = "/admin/subscriptions/subscriber/upload/"


def look(client: Client, **given: Any) -> Any:
    answer = client.get(ACT, given)
    assert answer.status_code == 200
    return answer


def agree(client: Client, page: Any, **given: Any) -> Any:
    """Press the button of a page that was looked at."""
    context = page.context
    sent = {
        "action": context["action"], "once": context["once"],
        "seen": str(context["look"].would_change), **dict(context["chosen"]), **context["params"],
        **given,
    }  # fmt: skip
    return client.post(ACT, sent)


def test_a_look_tells_numbers_reasons_and_a_sample(operator: Client) -> None:
    rows_make(2)
    rows_make(1, status="DISABLED")
    page = look(operator, action="disable", scope="matching", name="person")
    found = page.context["look"]
    assert (found.total, found.would_change, found.left_alone) == (3, 2, {"already_disabled": 1})
    text = page.content.decode()
    assert "left alone: is disabled already" in text
    assert "person_1" in text
    assert not BulkOperation.objects.exists()


def test_all_who_match_are_extended_to_the_end(
    operator: Client, panel: PanelHand, transactional_db: None
) -> None:
    one, two, other = (person_make(panel, tag=tag) for tag in ("PRO", "PRO", "FREE"))
    page = look(operator, action="extend", scope="matching", tag="PRO", days="7")
    assert [each.username for each in page.context["look"].sample] == [one.username, two.username]
    answer = agree(operator, page)
    operation = BulkOperation.objects.get()
    assert answer["Location"] == reverse("progress", args=[operation.pk])
    drain()
    assert ends_of(panel, one) == one.expire_at + timedelta(days=7)
    assert ends_of(panel, other) == other.expire_at
    assert operator.get(answer["Location"]).status_code == 200
    entry = AuditEntry.objects.get(action="subscriptions.bulk_extend")
    assert entry.account_name == "olga"


def test_the_ticked_are_disabled_for_a_reason(
    operator: Client, panel: PanelHand, transactional_db: None
) -> None:
    one, two = person_make(panel), person_make(panel)
    page = look(operator, action="disable", id=[one.pk])
    assert "Say why" in agree(operator, page).content.decode()
    agree(operator, look(operator, action="disable", id=[one.pk]), reason="abuse")
    drain()
    assert (status_of(panel, one), status_of(panel, two)) == ("DISABLED", "ACTIVE")
    one.refresh_from_db()
    assert (one.cut_by, one.cut_reason) == ("bulk", "abuse")


def test_a_page_works_once(operator: Client) -> None:
    rows_make(1)
    page = look(operator, action="reset_traffic", scope="matching", name="person")
    assert agree(operator, page).status_code == 302
    again = agree(operator, page)
    assert again.status_code == 422
    assert "that page was used before" in again.content.decode()
    assert BulkOperation.objects.count() == 1


def test_a_set_that_has_changed_is_looked_at_again(operator: Client) -> None:
    rows_make(2)
    page = look(operator, action="reset_traffic", scope="matching", name="person")
    rows_make(10)
    assert "2 were meant when you looked, 12 are now" in agree(operator, page).content.decode()
    assert not BulkOperation.objects.exists()


@pytest.mark.parametrize(("action", "count"), [("delete", 1), ("reset_traffic", 501)])
def test_what_is_grave_is_typed(operator: Client, action: str, count: int) -> None:
    end = clock.now() + timedelta(days=3)
    Subscriber.objects.bulk_create(
        Subscriber(panel_id=n, username=f"person_{n}", status="ACTIVE", expire_at=end)
        for n in range(1, count + 1)
    )
    for typed in ({}, {"confirm": "7"}):
        page = look(operator, action=action, scope="matching", name="person")
        assert f"Type {count} to confirm" in agree(operator, page, **typed).content.decode()
    assert not BulkOperation.objects.exists()
    page = look(operator, action=action, scope="matching", name="person")
    assert agree(operator, page, confirm=f"{count:,}").status_code == 302
    begun = BulkOperation.objects.get()
    assert (begun.kind, begun.selection["meant"]) == (action, count)


def test_spans_of_a_filter_are_moments_from_the_look_on(operator: Client) -> None:
    rows_make(1)
    page = look(operator, action="extend", scope="matching", expires_before="in 20d")
    agree(operator, page)
    before = BulkOperation.objects.get().selection["filter"]["expires_before"]
    assert before.startswith(f"{clock.now() + timedelta(days=20):%Y-%m-%d}")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"action": "extend"}, "Tick at least one subscriber first"),
        ({"action": "extend", "scope": "matching"}, "Filter the list first"),
        ({"action": "extend", "scope": "matching", "node": "7"}, "The filter cannot be used"),
        ({"action": "dance", "id": "1"}, "Choose what to do first"),
        ({"action": "extend", "upload": "lost"}, "The file is not kept any more"),
        ({"action": "extend", "selection": "["}, "choose again"),
    ],
)
def test_what_is_missing_is_said(operator: Client, given: dict[str, str], said: str) -> None:
    assert said in operator.get(ACT, given, follow=True).content.decode()


@pytest.mark.parametrize("days", ["0", "x", "99999"])
def test_days_that_make_no_sense_are_said(operator: Client, days: str) -> None:
    row = rows_make(1)[0]
    answer = operator.get(ACT, {"action": "extend", "id": str(row.pk), "days": days})
    assert answer.status_code == 422
    assert "days must be a whole number" in answer.content.decode()


def test_a_selection_that_cannot_be_is_said(operator: Client) -> None:
    answer = operator.get(ACT, {"action": "extend", "selection": '{"filter": {"x": 1}}'})
    assert answer.status_code == 422


def test_who_may_only_look_may_not_begin(supporter: Client) -> None:
    row = rows_make(1)[0]
    assert supporter.get(ACT, {"action": "extend", "id": str(row.pk)}).status_code == 403
    assert supporter.get(UPLOAD).status_code == 403
    assert supporter.post(f"{UPLOAD}import/").status_code == 403


def file(text: str) -> BytesIO:
    made = BytesIO(text.encode())
    made.name = "people.csv"
    return made


def test_the_people_of_a_file_are_acted_on(operator: Client) -> None:
    one, two = rows_make(2)
    given = {
        "action": "extend",
        "file": file(f"username\n{one.username}\n{two.username}\nnobody\n"),
    }
    page = operator.post(UPLOAD, given, follow=True)
    found = page.context["look"]
    assert (found.would_change, found.left_alone) == (2, {"unknown": 1})
    assert "The 3 lines of people.csv" in page.content.decode()
    assert agree(operator, page).status_code == 302
    operation = BulkOperation.objects.get()
    assert (operation.source, operation.total) == ("csv", 3)


def test_the_file_of_somebody_else_is_not_used(operator: Client, admin: Client) -> None:
    rows_make(1)
    answer = operator.post(UPLOAD, {"action": "extend", "file": file("username\nperson_1\n")})
    page = admin.get(answer["Location"], follow=True).content.decode()
    assert "The file is not kept any more" in page


@pytest.mark.parametrize(
    ("text", "said"), [("a,b\n1,2\n", "no column says who it is"), ("\n", "the file is empty")]
)
def test_a_file_that_cannot_be_read_is_said(operator: Client, text: str, said: str) -> None:
    answer = operator.post(UPLOAD, {"action": "extend", "file": file(text)})
    assert answer.status_code == 422
    assert said in answer.content.decode()


@pytest.mark.parametrize("action", ["extend", "import"])
def test_a_file_that_cannot_be_kept_is_said(
    operator: Client, redis_away: None, action: str
) -> None:
    answer = operator.post(UPLOAD, {"action": action, "file": file("username,days\nanna_k,3\n")})
    assert answer.status_code == 503
    assert "Redis does not answer just now" in answer.content.decode()


def test_an_import_is_looked_at_and_begun(operator: Client) -> None:
    text = "username,days,telegram_id\nnew_one,30,7\nx,30,8\n"
    page = operator.post(UPLOAD, {"action": "import", "file": file(text)})
    shown = page.context["look"]
    assert (shown.accepted, shown.rejected) == (1, 1)
    assert "3 to 36 letters" in page.content.decode()
    assert not BulkOperation.objects.exists()
    answer = operator.post(f"{UPLOAD}import/", {"upload": page.context["key"]})
    operation = BulkOperation.objects.get()
    assert answer["Location"] == reverse("progress", args=[operation.pk])
    assert BulkItem.objects.get().given == "new_one"
    again = operator.post(f"{UPLOAD}import/", {"upload": page.context["key"]}, follow=True)
    assert "upload it again" in again.content.decode()
    assert BulkOperation.objects.count() == 1


def test_an_operation_shows_its_people_by_fate(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = rows_make(60)
    operation = BulkOperation.objects.create(
        kind="extend", params={"days": 3}, state="done", source="admin", total=60, done=57, failed=3,
        finished_at=clock.now(), started_at=clock.now(),
    )  # fmt: skip
    BulkItem.objects.bulk_create(
        BulkItem(
            operation=operation, subscriber=row, given=row.username,
            state="failed" if place < 3 else "done", reason="refused" if place < 3 else "",
        )
        for place, row in enumerate(rows)
    )  # fmt: skip
    address = reverse("admin:subscriptions_bulkoperation_change", args=[operation.pk])
    page = operator.get(address)
    assert [(each.state, each.count) for each in page.context["fates"]] == [
        ("failed", 3), ("done", 57),
    ]  # fmt: skip
    assert len(page.context["page"].rows) == 3  # what failed comes first
    assert "Try the failed again" in page.content.decode()
    done = operator.get(address, {"fate": "done:"})
    rest = operator.get(f"{address}{done.context['following']}")
    assert [len(each.context["page"].rows) for each in (done, rest)] == [50, 7]
    assert operator.get(address, {"fate": "nothing", "after": "x"}).status_code == 200
    with django_assert_num_queries(11):
        operator.get(address)


def test_the_list_of_operations_is_filtered_and_paged(operator: Client) -> None:
    made = [
        BulkOperation.objects.create(kind="disable", source="api", state="done", created_by="bot")
        for _ in range(51)
    ]
    odd = BulkOperation.objects.create(kind="extend", source="csv", state="running")
    home = "/admin/subscriptions/bulkoperation/"
    for query in ("?kind=extend", "?source=csv", "?state=running"):
        assert operator.get(f"{home}{query}").context["page"].rows == [odd]
    first = operator.get(f"{home}?who=bot")
    rest = operator.get(f"{home}{first.context['following']}")
    found = [*first.context["page"].rows, *rest.context["page"].rows]
    assert found == made[::-1]
