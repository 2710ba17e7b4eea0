"""What the catalogue needs from outside: a place for files that never change once written."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it lies in the store; `etag` changes with its content."""

    content: bytes
    etag: str


class Files(Protocol):
    """Stores bytes under a key. Keys name their content, so a second write of the same key changes nothing."""

    def put(self, *, key: str, content: bytes, content_type: str) -> None:
        """Store `content` under `key`; does nothing when the key exists."""

    def get(self, *, key: str) -> StoredFile | None:
        """Return what lies under `key`, or None."""
