"""Files that were sent: their marks for as long as messages know them, their bytes for a while."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEEP_BYTES = 16 * 1024 * 1024
KEEP_DOCUMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Document:
    """A file as messages show it. size_bytes is 0 where only a link is known."""

    file_id: str
    file_unique_id: str
    file_name: str
    mime_type: str
    size_bytes: int

    def as_json(self) -> dict[str, Any]:
        return {
            "file_name": self.file_name,
            "mime_type": self.mime_type,
            "file_id": self.file_id,
            "file_unique_id": self.file_unique_id,
            "file_size": self.size_bytes,
        }


class DocumentStore:
    """Documents by file_id, so that a second send may name it. The oldest bytes go first."""

    def __init__(self, keep_bytes: int = KEEP_BYTES) -> None:
        self._keep_bytes = keep_bytes
        self.count = 0
        self.reset()

    def reset(self) -> None:
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._content: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def add(self, *, name: str, mime_type: str, content: bytes | None) -> Document:
        """Take a new file in; content is None for one that is known by its address only."""
        self.count += 1
        document = Document(
            file_id=f"BQACAgIAAxkDAAISandboxFile{self.count:08d}",
            file_unique_id=f"AgADSandbox{self.count:08d}",
            file_name=name,
            mime_type=mime_type,
            size_bytes=len(content or b""),
        )
        self.put(document, content)
        return document

    def put(self, document: Document, content: bytes | None) -> None:
        """Keep a file that has its id."""
        self._known[document.file_id] = document
        if len(self._known) > KEEP_DOCUMENTS:
            self._known.popitem(last=False)
        if content is not None and len(content) <= self._keep_bytes:
            self._content[document.file_id] = content
            self._bytes += len(content)
            while self._bytes > self._keep_bytes:
                self._bytes -= len(self._content.popitem(last=False)[1])

    def newest(self) -> list[Document]:
        """All that are known, the newest last."""
        return list(self._known.values())

    def newest_contents(self, most: int) -> Iterator[tuple[str, bytes]]:
        """The bytes of the newest ones by file_id, as far as so many bytes go."""
        for file_id, content in reversed(self._content.items()):
            most -= len(content)
            if most < 0:
                return
            yield file_id, content

    def find(self, file_id: str) -> Document | None:
        return self._known.get(file_id)

    def content(self, file_id: str) -> bytes | None:
        """The bytes of an upload, None if they are gone or never came."""
        return self._content.get(file_id)
