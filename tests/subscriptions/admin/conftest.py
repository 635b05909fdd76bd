"""What pages of the console show is read afresh."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_kept(clean_redis: None) -> None:
    """Boards and counts are kept for a minute; each test sees its own."""
