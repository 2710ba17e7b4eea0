"""Honest stand-ins kept in memory, for unit tests only. They keep the promises of the real gateways' protocols."""

import hashlib

from market.catalogue.ports import StoredFile
from market.gateways.documents import TypstDocuments
from market.gateways.memory_stripe import MemoryCards, MemoryTransfers
from market.kernel.uow import gateway
from market.notifications.ports import Mail
from market.ports import Ports


@gateway
class MemoryFiles:
    """Files in a dictionary: written once, never changed, as in the real stores."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, *, key: str, content: bytes, content_type: str) -> None:
        """Store `content` under `key`; does nothing when the key exists."""
        self._files.setdefault(key, content)

    def get(self, *, key: str) -> StoredFile | None:
        """Return what lies under `key`, or None."""
        content = self._files.get(key)
        return None if content is None else StoredFile(content, hashlib.sha256(content).hexdigest())


@gateway
class MemoryMailer:
    """A mail server that takes everything; a mail sent twice under one id is kept once, as readers see it."""

    def __init__(self) -> None:
        self.mails: dict[str, Mail] = {}

    def send(self, mail: Mail) -> None:
        """Keep the mail."""
        self.mails[mail.message_id] = mail


def ports() -> Ports:
    """Return the outside world in memory."""
    return Ports(
        cards=MemoryCards(), transfers=MemoryTransfers(), files=MemoryFiles(), documents=TypstDocuments(), mailer=MemoryMailer()
    )
