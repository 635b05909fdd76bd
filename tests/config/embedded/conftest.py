import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import embedded
from tests.config.embedded.processes import User


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: pytest closes its parent to others, and the servers of root are not root.
    scratch = Path(tempfile.mkdtemp(prefix="switchboard-test-"))
    scratch.chmod(0o755)
    yield scratch / "var"
    embedded.stop(scratch / "var")
    shutil.rmtree(scratch)


@pytest.fixture
def user(data_dir: Path) -> Iterator[Callable[..., User]]:
    users: list[User] = []

    def start(**options: Any) -> User:
        users.append(User(data_dir, **options))
        return users[-1]

    yield start
    for each in users:
        each.kill()
