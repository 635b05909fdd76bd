"""Statements that are compiled once find and write what the ORM finds and writes."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Model, QuerySet, Value
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django_q.models import Schedule

from jobs.compiled import Compiled, Param
from jobs.models import AuditEntry, Breaker, JobAttempt, ScheduleEntry
from jobs.rows import row_insert, row_update
from lib import clock

pytestmark = pytest.mark.django_db


def fields_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def schedule() -> ScheduleEntry:
    carrier = Schedule.objects.create(name="tea", func="tea.make")
    return ScheduleEntry.objects.create(
        name="tea", kind="tea.make", args={"cups": [1, None, "ä"]}, schedule=carrier
    )


class TestCompiled:
    def test_it_finds_what_the_orm_finds_with_other_values_each_time(self) -> None:
        for number in range(3):
            Breaker.objects.create(name=f"b{number}", failures=number)
        found = Compiled(lambda: Breaker.objects.filter(name=Param("name")))
        for number in (2, 0, 1):
            row = found.one(name=f"b{number}")
            assert row is not None
            assert fields_of(row) == fields_of(Breaker.objects.get(name=f"b{number}"))
        assert found.one(name="nobody") is None

    def test_rows_come_as_from_the_orm_with_relations_and_json(
        self, schedule: ScheduleEntry
    ) -> None:
        found = Compiled(
            lambda: ScheduleEntry.objects.select_related("schedule").filter(name=Param("name"))
        )
        for _ in range(12):  # also when it is prepared
            row = found.one(name="tea")
            assert row is not None
            with CaptureQueriesContext(connection) as seen:
                assert fields_of(row.schedule) == fields_of(Schedule.objects.get(name="tea"))
            assert len(seen.captured_queries) == 1  # the relation was read with the row
            assert fields_of(row) == fields_of(ScheduleEntry.objects.get(name="tea"))

    def test_a_relation_that_leads_to_nobody_is_none(self) -> None:
        AuditEntry.objects.create(account_name="gone", action="a", object_type="b", object_id="c")
        found = Compiled(
            lambda: AuditEntry.objects.select_related("account").filter(account_name=Param("name"))
        )
        row = found.one(name="gone")
        assert row is not None
        assert row.account is None

    def test_annotations_order_and_fixed_values_stay(self) -> None:
        for number in range(4):
            Breaker.objects.create(name=f"b{number}", failures=number)

        def build() -> QuerySet[Breaker]:
            return (
                Breaker.objects.filter(failures__gte=Param("least"), failures__lt=3)
                .annotate(more=F("failures") + Value(10))
                .order_by("-failures")
            )

        found = Compiled(build)
        rows = found.all(least=1)
        assert [(row.name, row.more) for row in rows] == [("b2", 12), ("b1", 11)]  # type: ignore[attr-defined]
        assert [row.name for row in found.all(least=2)] == ["b2"]

    def test_a_deferred_column_is_read_when_it_is_asked(self) -> None:
        Breaker.objects.create(name="shop", failures=5)
        row = Compiled(lambda: Breaker.objects.only("name").filter(name=Param("name"))).one(
            name="shop"
        )
        assert row is not None
        assert row.get_deferred_fields() >= {"failures"}
        assert row.failures == 5

    def test_a_moment_is_bound_at_each_call(self) -> None:
        now = clock.now()
        Breaker.objects.create(name="late", retry_at=now)
        due = Compiled(lambda: Breaker.objects.filter(retry_at__lte=Param("now")))
        assert not due.all(now=now - timedelta(seconds=1))
        assert [row.retry_at for row in due.all(now=now + timedelta(seconds=1))] == [now]

    def test_values_that_are_missing_or_unknown_are_refused(self) -> None:
        found = Compiled(lambda: Breaker.objects.filter(name=Param("name")))
        with pytest.raises(TypeError, match="name"):
            found.one()
        with pytest.raises(TypeError, match="title"):
            found.one(name="shop", title="x")

    def test_a_value_of_the_wrong_type_is_an_error_of_the_database(self) -> None:
        found = Compiled(lambda: Breaker.objects.filter(failures=Param("failures")))
        with pytest.raises(DatabaseError), transaction.atomic():
            found.one(failures="many")

    @pytest.mark.django_db(transaction=True)
    def test_a_row_is_locked_within_a_transaction_only(self) -> None:
        Breaker.objects.create(name="shop")
        locked = Compiled(lambda: Breaker.objects.select_for_update().filter(name=Param("name")))
        with transaction.atomic():
            assert locked.one(name="shop") is not None
        with pytest.raises(TransactionManagementError):
            locked.one(name="shop")

    def test_it_is_built_once(self) -> None:
        built = []

        def build() -> QuerySet[Breaker]:
            built.append(1)
            return Breaker.objects.filter(name=Param("name"))

        found = Compiled(build)
        assert not built
        for _ in range(3):
            found.one(name="shop")
        assert built == [1]


class TestRows:
    def test_an_inserted_row_is_as_one_that_was_created(self) -> None:
        row = row_insert(Breaker(name="shop", failures=2))
        assert not row._state.adding
        assert fields_of(row) == fields_of(Breaker.objects.get(name="shop"))

    def test_what_the_database_fills_in_is_on_the_row(self) -> None:
        row = row_insert(
            AuditEntry(
                account_name="x", action="a", object_type="b", object_id="c", changes={"d": 1}
            )
        )
        assert row.pk is not None
        assert row.at.tzinfo is UTC
        assert fields_of(row) == fields_of(AuditEntry.objects.get(account_name="x"))

    def test_json_lists_and_nothing_are_written_as_by_the_orm(self) -> None:
        row = row_insert(
            JobAttempt(
                job_id="0190f7e0-0000-7000-8000-000000000001",
                attempt=1,
                fence=1,
                finished_at=clock.now(),
                outcome="done",
                logs=[{"line": "ü %s"}],
            )
        )
        found = JobAttempt.objects.get(pk=row.pk)
        assert found.logs == [{"line": "ü %s"}]
        assert found.worker is None

    def test_a_row_that_is_there_already_is_refused(self) -> None:
        row_insert(Breaker(name="shop"))
        with pytest.raises(IntegrityError), transaction.atomic():
            row_insert(Breaker(name="shop"))

    def test_an_update_writes_these_fields_and_no_other(self, schedule: ScheduleEntry) -> None:
        schedule.args, schedule.kind, schedule.name = {"b": None}, "tea.pour", "coffee"
        assert row_update(schedule, "args", "kind")
        found = ScheduleEntry.objects.get(pk=schedule.pk)
        assert (found.args, found.kind, found.name) == ({"b": None}, "tea.pour", "tea")

    def test_an_update_of_a_row_that_is_gone_says_so(self, schedule: ScheduleEntry) -> None:
        ScheduleEntry.objects.filter(pk=schedule.pk).delete()
        assert not row_update(schedule, "kind")

    def test_an_expression_is_refused_rather_than_written_as_text(self) -> None:
        row = row_insert(Breaker(name="shop"))
        row.failures = F("failures") + 1
        with pytest.raises(TypeError, match="failures"):
            row_update(row, "failures")
