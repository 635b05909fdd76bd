"""The story of a payment in words."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from payments import words
from payments.models import PaymentEvent
from payments.story import event_write
from tests.payments.conftest import order_make

ROOT = Path(words.__file__).parent


@pytest.mark.unit
@pytest.mark.parametrize("kind", sorted(words.SENTENCES))
def test_each_kind_is_written_somewhere_and_can_be_said_without_facts(kind: str) -> None:
    sources = [path for path in ROOT.rglob("*.py") if path.name != "words.py"]
    assert any(f'"{kind}"' in path.read_text() for path in sources)
    assert re.search(r"[a-z].*\.$", words.say(kind, {}))


@pytest.mark.unit
def test_a_kind_of_a_later_version_is_shown_as_it_is() -> None:
    assert words.say("money_went_away", {}) == "Money went away."


@pytest.mark.unit
@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("5.000000000000", "5"),
        ("0.000000000001", "0.000000000001"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("0.50", "0.5"),
    ],
)
def test_amounts_are_written_without_zeros_and_without_an_exponent(amount: str, text: str) -> None:
    assert words.amount_say(Decimal(amount)) == text


@pytest.mark.unit
def test_moments_have_their_zone() -> None:
    said = words.say("invoice_made", {"invoice": "7", "until": "2026-11-23T10:00:00+03:00"})
    assert said == "Invoice 7 is open until 2026-11-23 07:00 UTC."


def test_a_kind_without_words_is_refused() -> None:
    payment = order_make()
    with pytest.raises(LookupError, match="add them"):
        event_write(payment.pk, "unheard_of")
    assert PaymentEvent.objects.count() == 1
