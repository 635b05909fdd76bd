from pathlib import Path

import pytest

from config.run.plan import ROOT
from config.run.procfile import read_procfile

pytestmark = pytest.mark.unit


def test_commands_come_by_name_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text("# a remark\nweb: python -m web --port $PORT\n\nworker-2:  run it: now\n")
    assert list(read_procfile(file).items()) == [
        ("web", "python -m web --port $PORT"),
        ("worker-2", "run it: now"),
    ]


@pytest.mark.parametrize("line", ["web", "web:", "web python", "Web: python"])
def test_a_line_that_is_no_command_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "Procfile").write_text(f"worker: python\n{line}\n")
    with pytest.raises(ValueError, match="Procfile:2"):
        read_procfile(tmp_path / "Procfile")


def test_ours_has_web_worker_files_and_sandbox() -> None:
    assert list(read_procfile(ROOT / "Procfile")) == ["web", "worker", "files", "sandbox"]
