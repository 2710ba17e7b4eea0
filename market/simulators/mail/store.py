"""Caught messages: one file each, named by a UUIDv7, so that names sort by arrival."""

import email
import email.policy
import os
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, Message, MIMEPart
from itertools import takewhile
from pathlib import Path
from uuid import UUID

ENVELOPE = ("X-Received-At: ", "X-Sender: ", "X-Recipient: ")
LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")


@dataclass(frozen=True)
class Caught:
    """A message with its envelope: whom the sender really named, blind copies included."""

    id: UUID
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"] or "(no subject)")

    @property
    def text(self) -> str:
        """The plain text, or nothing."""
        body = self.message.get_body(("plain",))
        return _words(body) if body is not None else ""

    @property
    def html(self) -> str | None:
        """The HTML as it was sent."""
        body = self.message.get_body(("html",))
        return _words(body) if body is not None else None

    @property
    def links(self) -> list[str]:
        """Addresses in the plain text, in their order."""
        return LINK.findall(self.text)

    @property
    def attachments(self) -> list[tuple[str, bytes]]:
        """Name and content of each attachment."""
        return [
            (part.get_filename() or f"attachment-{number}", _content(part))
            for number, part in enumerate(self.message.iter_attachments(), start=1)
        ]

    def as_json(self) -> dict[str, object]:
        """Return what a test or the journey looks at."""
        return {
            "id": str(self.id),
            "received_at": self.received_at.isoformat(),
            "sender": self.sender,
            "recipients": list(self.recipients),
            "subject": self.subject,
            "text": self.text,
            "links": self.links,
            "attachments": [name for name, _ in self.attachments],
        }


def _words(part: MIMEPart) -> str:
    """Return the text of a part, also where it names a character set that does not exist."""
    try:
        return str(part.get_content())
    except LookupError:
        return bytes(part.get_payload(decode=True) or b"").decode(errors="replace")


def _content(part: MIMEPart) -> bytes:
    """Return the bytes of an attachment; a message that is attached comes as it is."""
    if part.get_content_maintype() == "message":
        inner = part.get_payload(0)
        return inner.as_bytes() if isinstance(inner, Message) else b""
    return bytes(part.get_payload(decode=True) or b"")


class Mailbox:
    """All messages below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, *, id: UUID, received_at: datetime, sender: str, recipients: list[str], content: bytes) -> None:
        """Write one message; readers see all of it or nothing."""
        envelope = f"X-Received-At: {received_at.isoformat()}\r\nX-Sender: {sender}\r\n"
        envelope += "".join(f"X-Recipient: {recipient}\r\n" for recipient in recipients)
        half = self._folder / f"{id}.new"
        half.write_bytes(envelope.encode() + content)
        half.replace(self._path(id))

    def get(self, id: UUID) -> Caught | None:
        """Return one message."""
        try:
            content = self.raw(id)
        except FileNotFoundError:
            return None
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return Caught(
            id=id,
            received_at=datetime.fromisoformat(str(message["X-Received-At"])),
            sender=str(message["X-Sender"]),
            recipients=tuple(str(value) for value in message.get_all("X-Recipient", [])),
            message=message,
        )

    def raw(self, id: UUID) -> bytes:
        """Return the file of one message, envelope headers first. Raises FileNotFoundError."""
        return self._path(id).read_bytes()

    def newest(self, *, to: str = "", limit: int = 100) -> list[Caught]:
        """Return the newest messages first, those to `to` alone when it is given."""
        found: list[Caught] = []
        for name in sorted((name for name in os.listdir(self._folder) if name.endswith(".eml")), reverse=True):
            id = UUID(name.removesuffix(".eml"))
            if (not to or self._went_to(id, to)) and (caught := self.get(id)) is not None:
                found.append(caught)
                if len(found) == limit:
                    break
        return found

    def _went_to(self, id: UUID, to: str) -> bool:
        """Whether the envelope names an address, read without the rest: the messages of others are parsed for nobody."""
        wanted = f"X-Recipient: {to}".lower()
        try:
            with self._path(id).open(encoding="utf-8", errors="surrogateescape") as lines:
                envelope = takewhile(lambda line: line.startswith(ENVELOPE), lines)
                return any(line.rstrip("\n").lower() == wanted for line in envelope)
        except FileNotFoundError:
            return False

    def _path(self, id: UUID) -> Path:
        return self._folder / f"{id}.eml"
