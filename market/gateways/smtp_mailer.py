"""Mail by SMTP (RFC 5321), one connection per mail: a mail server of others must not hold a worker for long."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr, parseaddr

from email_validator import EmailNotValidError, validate_email

from market.kernel.uow import gateway
from market.notifications.ports import Mail, MailRefused, MailUnsure

TIMEOUT_S = 20


@gateway
class SmtpMailer:
    """Hands mail to a server; `sender` is a name with an address."""

    def __init__(self, *, host: str, port: int, user: str, password: str, tls: bool, sender: str) -> None:
        self._host, self._port, self._user, self._password, self._tls = host, port, user, password, tls
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Send it. A permanent refusal (5xx) raises MailRefused, anything else MailUnsure."""
        message = _message(mail, self._sender)
        try:
            with smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S) as server:
                if self._tls:
                    server.starttls(context=ssl.create_default_context())
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise (MailRefused if code >= 500 else MailUnsure)(f"the server refused the address: {code}") from error
        except smtplib.SMTPResponseException as error:
            refused = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise (MailRefused if refused else MailUnsure)(f"the server answered {error.smtp_code}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailUnsure(f"the mail server could not be reached: {error}") from error


def _for_servers(address: str) -> str:
    """Return an address with its domain as servers know it (RFC 5890). Raises MailRefused where there is no such name."""
    if address.isascii():
        return address
    try:
        known = validate_email(address, check_deliverability=False, test_environment=True).ascii_email
    except EmailNotValidError:
        known = None
    if known is None:
        raise MailRefused("no mail server knows an address with such letters")
    return known


def _message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = formataddr((" ".join(mail.to_name.split()), _for_servers(mail.to_email)))
    message["Subject"] = mail.subject
    message["Message-ID"] = f"<{mail.message_id}@{parseaddr(sender)[1].partition('@')[2]}>"
    message["Content-Language"] = mail.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    for attachment in mail.attachments:
        main, _, sub = attachment.content_type.partition("/")
        message.add_attachment(attachment.body, maintype=main, subtype=sub, filename=attachment.name)
    return message
