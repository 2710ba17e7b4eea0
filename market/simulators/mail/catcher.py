"""The SMTP side: every message that is offered is taken and kept."""

from aiosmtpd.smtp import SMTP, Envelope, Session

from market.kernel.clock import SystemClock
from market.kernel.ids import new_id
from market.simulators.mail.store import Mailbox


class Catcher:
    """Handler of aiosmtpd: its method names are given by that library."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep the message and say so."""
        content = envelope.original_content or b""
        identifier = new_id()
        self._mailbox.add(
            id=identifier,
            received_at=SystemClock().now(),
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            content=content,
        )
        return f"250 kept as {identifier}"
