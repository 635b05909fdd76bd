import ctypes
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from monitoring.files.models import Rule
from tests.monitoring.files.rows import Drop, rule_make

RuleMake = Callable[..., Rule]


@pytest.fixture
def drop(settings: Settings) -> Iterator[Drop]:
    """A directory that rules may name; beside it lies one that they may not. Any user reaches them."""
    with tempfile.TemporaryDirectory(prefix="switchboard-drop-") as folder:
        base = Path(folder)
        base.chmod(0o755)
        (base / "drop").mkdir()
        (base / "outside").mkdir()
        settings.FILE_WATCH_ROOTS = [str(base / "drop")]
        yield Drop(base / "drop", base / "outside")


@pytest.fixture
def rule(db: None, drop: Drop) -> Rule:
    """The usual rule: every CSV of the directory, told to a chat."""
    return rule_make(drop)


@pytest.fixture
def without_rights() -> Iterator[Callable[[], Any]]:
    """with without_rights(): files are opened as an ordinary user, also if the tests are root's.

    Linux keeps the user of file access per thread (setfsuid(2)).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    here = threading.get_ident()

    @contextmanager
    def switch() -> Iterator[None]:
        assert threading.get_ident() == here
        before = libc.setfsuid(65534)
        try:
            yield
        finally:
            libc.setfsuid(before)

    yield switch
    libc.setfsuid(os.geteuid())
