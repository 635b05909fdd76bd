"""What a simulation is asked for is checked before anything starts."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from config.simulation.options import Options

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "because"),
    [
        (["--days=0"], "--days must be"),
        (["--subscribers=1"], "--subscribers must be"),
        (["--workers=0"], "--workers must be"),
        (["--kills=-1"], "--kills at least 0"),
        (["--sandbox=sandbox"], "--sandbox must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(words: list[str], because: str) -> None:
    with pytest.raises(CommandError, match=because):
        call_command("simulate", *words, stdout=StringIO())


def test_it_runs_here_only_where_the_clock_may_be_moved(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    monkeypatch.delenv("CLOCK_FILE", raising=False)
    settings.DEBUG = True
    with pytest.raises(CommandError, match="CLOCK_FILE"):
        call_command("simulate", "--here")
    monkeypatch.setenv("CLOCK_FILE", str(tmp_path / "clock"))
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=0"):
        call_command("simulate", "--here")


def test_the_child_is_asked_for_the_same() -> None:
    words = Options(
        days=3, seed=4, has_faults=False, kills=2, workers=5, sandbox="http://127.0.0.1:9"
    ).arguments()
    assert words == [
        "--days=3", "--subscribers=10000", "--seed=4", "--kills=2", "--workers=5", "--no-faults",
        "--sandbox=http://127.0.0.1:9",
    ]  # fmt: skip
