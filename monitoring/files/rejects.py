"""Lines of a file that were not taken, and the report with all of them beside it."""

import csv
import io
import os
import secrets
import tempfile
from typing import BinaryIO

from monitoring.files.patterns import REJECTS
from monitoring.files.places import Place

SHOWN = 20  # kept in the row, for the console
LONGEST = 500  # characters of a line that are kept
_IN_MEMORY = 1024 * 1024
_PIECE = 1024 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Rejects:
    """Takes any number of lines in constant memory; `publish` writes `<name>.rejects.csv`."""

    def __init__(self, directory: str, path: str) -> None:
        self.count = 0
        self.first: list[dict[str, object]] = []
        self._directory = directory
        self._path = path
        self._file: BinaryIO | None = None

    def add(self, line: int, text: str, why: str) -> None:
        """One line (1 is the first), as it stands in the file, and why it is not taken."""
        self.count += 1
        text, why = _storable(text), _storable(why)
        if len(self.first) < SHOWN:
            self.first.append({"line": line, "text": text, "why": why})
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115
            self._write("line", "text", "reason")
        self._write(str(line), _harmless(text), _harmless(why))

    def publish(self) -> str:
        """Write the report, or take an older one away if nothing was refused. Returns its path.

        It appears whole or not at all, under a name that is never watched. Raises OSError.
        """
        name = self._path.rpartition("/")[2] + REJECTS
        with Place(self._directory) as place:
            fd = place.directory_of(self._path)
            try:
                if self._file is None:
                    _remove(name, fd)
                    return ""
                self._copy(name, fd)
            finally:
                os.close(fd)
        return self._path + REJECTS

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _copy(self, name: str, fd: int) -> None:
        assert self._file is not None
        passing = f".rejects-{secrets.token_hex(6)}.tmp"
        self._file.seek(0)
        with os.fdopen(os.open(passing, _NEW, 0o640, dir_fd=fd), "wb") as report:
            while piece := self._file.read(_PIECE):
                report.write(piece)
            report.flush()
            os.fsync(report.fileno())
        try:
            os.replace(passing, name, src_dir_fd=fd, dst_dir_fd=fd)
        except OSError:
            _remove(passing, fd)
            raise

    def _write(self, *cells: str) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        assert self._file is not None
        self._file.write(line.getvalue().encode())


def _storable(text: str) -> str:
    """As much as a table takes: no NUL, no half characters, no endless line."""
    plain = text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "…"


def _harmless(text: str) -> str:
    """No formula for the spreadsheet that opens the report (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _remove(name: str, fd: int) -> None:
    try:
        os.unlink(name, dir_fd=fd)
    except FileNotFoundError:
        return
