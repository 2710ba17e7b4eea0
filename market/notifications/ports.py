"""What notifications need from the outside: something that takes a mail."""

from dataclasses import dataclass
from typing import Protocol


class MailRefused(Exception):
    """The server will never take this mail: the address is wrong."""


class MailUnsure(Exception):
    """The server did not answer, or said later."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it leaves; `message_id` is the same however often it is sent."""

    message_id: str
    to_name: str
    to_email: str
    subject: str
    text: str
    html: str
    language: str
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    """Hands mail to a server."""

    def send(self, mail: Mail) -> None:
        """Send it. Raises MailRefused for good, MailUnsure to try again later."""
