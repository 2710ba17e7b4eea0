"""Letters of the door leave like all others: a row in the outbox, in the transaction of what they tell about."""

from typing import Any
from urllib.parse import urlsplit

from flask_security import MailUtil

from market.accounts import service as accounts
from market.accounts.errors import BadEmail
from market.accounts.rules import checked_email
from market.http import links
from market.http.db import unit_of_work
from market.http.login.models import User

KINDS = {
    "security/email/welcome": "confirm",
    "security/email/confirmation_instructions": "confirm",
    "security/email/welcome_existing": "already_registered",
    "security/email/reset_instructions": "reset",
    "security/email/reset_notice": "password_changed",
    "security/email/change_notice": "password_changed",
}


class OutboxMail(MailUtil):  # type: ignore[misc]
    """Announces each letter instead of sending it; addresses are compared in lower case."""

    def normalize(self, email: str) -> str:
        """Return the address as it is stored."""
        return str(super().normalize(email)).lower()

    def validate(self, email: str) -> str:
        """Return the address as it is stored. Raises ValueError when it is none."""
        try:
            return checked_email(email)
        except BadEmail as error:
            raise ValueError(error.detail) from error

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """Announce the letter in one transaction with what the library's view has written so far."""
        user: User = context["user"]
        link = context.get("confirmation_link") or context.get("reset_link") or ""
        with unit_of_work() as session:
            accounts.ask_for_letter(session, account_id=user.account_id, kind=KINDS[template], link=own(link) if link else "")


def own(link: str) -> str:
    """Return `link` on our public address: the library takes the host from the request, which a stranger can choose."""
    return links.public(urlsplit(link).path)
