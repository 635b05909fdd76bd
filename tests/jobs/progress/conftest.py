"""Operations that a test can move."""

from collections.abc import Iterator

import pytest

from tests.jobs.progress.kinds import Digging, digging_registered


@pytest.fixture
def digging() -> Iterator[Digging]:
    with digging_registered() as made:
        yield made
