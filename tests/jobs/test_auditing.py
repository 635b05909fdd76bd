"""Words of the audit log, registered by each app."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import auditing
from jobs.auditing import Listed, Page, Sought, Thing, address_of, is_pair, verb_of, words_register

pytestmark = pytest.mark.unit


ROOT = Path(__file__).resolve().parents[2]
APPS = ("jobs", "notifications", "payments", "subscriptions", "monitoring", "reports", "config")
INSTALLED = dict(auditing._verbs)


def actions_written() -> Iterator[str]:
    """What the product hands to audit_write as a text."""
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(
                        func=ast.Name(id="audit_write"),
                        args=[_, ast.Constant(value=str(action)), *_],
                    ):
                        yield action


def test_whatever_is_written_is_told_in_words() -> None:
    written = set(actions_written())
    assert len(written) > 50
    assert written - INSTALLED.keys() == set()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of this test alone."""
    for name, empty in (("_verbs", {}), ("_things", {}), ("_pairs", set())):
        monkeypatch.setattr(auditing, name, empty)


def test_what_nobody_registered_is_told_as_it_is_stored() -> None:
    assert (verb_of("panel.reboot"), address_of("panel", "7")) == ("panel.reboot", "")
    assert not is_pair("panel.reboot")


def test_each_app_has_its_words_and_places() -> None:
    things: dict[str, Thing] = {
        "queue": Listed("jobs_queue"),
        "person": Sought("inbox_recipient"),
    }
    words_register({"queues.pause": "paused"}, things=things, pairs={"queues.retime"})
    words_register(
        {"payments.recheck": "had rechecked"}, things={"payment": Page("payments_payment")}
    )
    assert verb_of("queues.pause") == "paused"
    assert verb_of("payments.recheck") == "had rechecked"
    assert is_pair("queues.retime")
    assert address_of("queue", "a b") == "/admin/jobs/queue/#queue-a%20b"
    assert address_of("person", "7-a&b") == "/admin/inbox/recipient/?q=7-a%26b"
    key = "0192f0c1-0000-7000-8000-000000000001"
    assert address_of("payment", key) == f"/admin/payments/payment/{key}/change/"


def test_a_name_that_is_no_key_and_a_page_that_is_missing_lead_nowhere() -> None:
    words_register({}, things={"payment": Page("payments_payment"), "ghost": Listed("no_model")})
    assert address_of("payment", "many") == ""
    assert address_of("ghost", "7") == ""


def test_the_same_words_again_are_fine_and_others_are_refused() -> None:
    words_register({"queues.pause": "paused"}, things={"queue": Listed("jobs_queue")})
    words_register({"queues.pause": "paused"}, things={"queue": Listed("jobs_queue")})
    with pytest.raises(ValueError, match=r"queues\.pause"):
        words_register({"queues.pause": "halted"})
    with pytest.raises(ValueError, match="queue"):
        words_register({}, things={"queue": Page("jobs_queue")})
